// @ts-nocheck: Node's types are not among the front end's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, choose, share } from './selection';

const SHOWN = ['a', 'b', 'c', 'd'];

test('a range goes both ways, in the order that is shown', () => {
  assert.deepEqual(between(SHOWN, 'b', 'd'), ['b', 'c', 'd']);
  assert.deepEqual(between(SHOWN, 'd', 'b'), ['b', 'c', 'd']);
  assert.deepEqual(between(['d', 'a', 'c', 'b'], 'a', 'b'), ['a', 'c', 'b']);
});

test('a range from what is not shown any more is only what was pointed at', () => {
  assert.deepEqual(between(SHOWN, null, 'c'), ['c']);
  assert.deepEqual(between(SHOWN, 'gone', 'c'), ['c']);
});

test('a choice is added to and taken from, never changed in place', () => {
  const first = new Set(['a']);
  assert.deepEqual([...choose(first, ['b', 'c'], true)], ['a', 'b', 'c']);
  assert.deepEqual([...choose(first, ['a', 'c'], false)], []);
  assert.deepEqual([...first], ['a']);
});

test('how much of what is shown is chosen; of nothing, nothing is', () => {
  assert.equal(share(new Set(['a', 'z']), SHOWN), 'some');
  assert.equal(share(new Set([...SHOWN, 'z']), SHOWN), 'all');
  assert.equal(share(new Set(['z']), SHOWN), 'none');
  assert.equal(share(new Set(), []), 'none');
});
