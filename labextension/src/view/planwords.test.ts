// @ts-nocheck: Node's types are not among the front end's.
/** What the history says of changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { english } from '../translation';
import { ProjectModel } from './model';
import { changesInWords, inWords } from './planwords';

const model = new ProjectModel('p');
const set = (path, value) => ({ op: 'replace', path, value });

test('what many columns were set to at once is one line', () => {
  const patch = [set('/columns/a', 'drop'), set('/split/test_fraction', 0.25), set('/columns/b~1c', 'drop'), set('/columns/d', 'onehot')];
  assert.deepEqual(changesInWords(patch, model, english), [
    'Treatment of columns: leave out (a, b/c)',
    'Split, Test: 25.0\u00a0%',
    'Treatment of columns: a column for each category (d)'
  ]);
});

test('hundreds of columns are counted', () => {
  const patch = Array.from({ length: 300 }, (_, i) => set(`/roles/c${i}`, 'ignore'));
  const [line, ...more] = changesInWords(patch, model, english);
  assert.deepEqual(more, []);
  assert.match(line, /^What columns are for: leave out \(c0, c1, .*, c29 \+ 270\)$/);
});

test('roles that are replaced whole stand by what they are', () => {
  const roles = { a: 'feature', b: 'target', c: 'feature' };
  assert.equal(inWords('roles', roles, model, english), 'feature: a, c; target: b');
  assert.equal(inWords('split', { strategy: 'time', column: 'when', seed: 0 }, model, english), 'Strategy: by time, the last rows tested, Column: when, Seed: 0');
});
