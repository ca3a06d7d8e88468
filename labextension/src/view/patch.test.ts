// @ts-nocheck: Node's types are not among the front end's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, edited, paramsOf, patchOf, pointer, rebased, same } from './patch';

const PLAN = { split: { val_fraction: 0.2, seed: 0 }, columns: { 'a/b': 'numeric', 'c~d': 'onehot', '': 'drop' }, list: [1] };

test('pointers quote what RFC 6901 quotes', () => {
  assert.equal(pointer('columns', 'a/b'), '/columns/a~1b');
  assert.equal(pointer('columns', 'c~d'), '/columns/c~0d');
  assert.equal(pointer('columns', ''), '/columns/');
});

test('edits change a copy, by names of any kind', () => {
  const edits = new Map([
    [pointer('columns', 'a/b'), 'drop'],
    [pointer('columns', 'c~d'), 'text'],
    [pointer('columns', ''), 'numeric'],
    [pointer('split', 'seed'), 7]
  ]);
  const next = edited(PLAN, edits);
  assert.deepEqual(next.columns, { 'a/b': 'drop', 'c~d': 'text', '': 'numeric' });
  assert.equal(next.split.seed, 7);
  assert.equal(PLAN.split.seed, 0);
  assert.deepEqual(patchOf(PLAN, edits)[0], { op: 'replace', path: '/columns/a~1b', value: 'drop' });
});

test('thousands of changes of one member are one operation', () => {
  const columns = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`c${i}`, 'numeric']));
  const plan = { ...PLAN, columns };
  const edits = new Map([['/split/seed', 7], ...Object.keys(columns).slice(1).map(name => [pointer('columns', name), 'drop'])]);
  const patch = patchOf(plan, edits);
  assert.deepEqual(patch.map(op => op.path), ['/columns', '/split/seed']);
  assert.equal(patch[0].value.c0, 'numeric');
  assert.ok(Object.values(patch[0].value).filter(v => v === 'drop').length === 2999);
  assert.equal(plan.columns.c1, 'numeric');
});

test('an edit that the new plan already has, or whose member is gone, is none', () => {
  const edits = new Map([
    ['/split/seed', 7],
    ['/split/val_fraction', 0.3],
    ['/gone', 1]
  ]);
  assert.deepEqual([...rebased({ split: { val_fraction: 0.2, seed: 7 } }, edits).keys()], ['/split/val_fraction']);
});

test('params of a restart are whole members', () => {
  assert.deepEqual(paramsOf(PLAN, new Map([['/split/seed', 7]])), { split: { val_fraction: 0.2, seed: 7 } });
});

test('sameness is by value', () => {
  assert.ok(same({ a: [1, { b: null }] }, { a: [1, { b: null }] }));
  assert.ok(!same({ a: 1 }, { a: 1, b: undefined }));
  assert.ok(!same([1], { 0: 1 }));
  assert.ok(!same(null, {}));
});

test('what was asked differs from a plan where its columns and values do', () => {
  const asked = { split: { val_fraction: 0.3, seed: 0 }, columns: { ...PLAN.columns, 'a/b': 'drop' }, list: [1], prompt: 'Predict a' };
  assert.deepEqual(changesOf(PLAN, asked), [
    { op: 'replace', path: '/split/val_fraction', value: 0.3 },
    { op: 'replace', path: '/columns/a~1b', value: 'drop' }
  ]);
  assert.deepEqual(changesOf({ keep: 'x', list: [1] }, { keep: null, list: [2] }).map(op => op.value), [null, [2]]);
});
