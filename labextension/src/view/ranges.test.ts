// @ts-nocheck: Node's types are not among the front end's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roomy, roundValues, rungAbove, withoutBeginnings } from './ranges';
import { Series } from './series';

test('the next rung of a ladder', () => {
  assert.deepEqual([0.9, 1, 1.1, 7, 230].map(rungAbove), [1, 1, 1.25, 8, 250]);
});

test('a range stays while the values fit and fill a third of it', () => {
  assert.deepEqual(roomy([0, 1], 0.2, 0.8), [0, 1]);
  assert.notDeepEqual(roomy([0, 1], 0.2, 1.2), [0, 1]);
  assert.notDeepEqual(roomy([0, 1], 0.2, 0.4), [0, 1]);
});

test('a beginning that is far off does not flatten what the curves come to', () => {
  assert.deepEqual(withoutBeginnings([0, 4], [0, 0.5]), [0, 1]);
  assert.deepEqual(withoutBeginnings([0, 8], [6, 7]), [5, 8]);
});

test('what is not far off is shown whole, and so is what has no later values', () => {
  assert.deepEqual(withoutBeginnings([0, 1], [0, 0.4]), [0, 1]);
  assert.deepEqual(withoutBeginnings([0, 4], [Infinity, -Infinity]), [0, 4]);
});

test('curves that came to nearly the same are not magnified without end', () => {
  assert.deepEqual(withoutBeginnings([0, 4], [0.5, 0.5]), [0.3, 0.7]);
});

test('a peak after the beginning counts, a gap does not', () => {
  const series = new Series();
  [9, 4, null, 1, 1, 1, 1, 1, 5, 1, 1].forEach((y, x) => series.push(x, y));
  assert.deepEqual(series.late(), [1, 5]);
  const alone = new Series();
  alone.push(0, 3);
  assert.deepEqual(alone.late(), [Infinity, -Infinity]);
});

test('an axis is marked at round values', () => {
  assert.deepEqual(roundValues(-411, 152488), [40000, [0, 40000, 80000, 120000]]);
  assert.deepEqual(roundValues(-0.9, 1.1), [0.5, [-0.5, 0, 0.5, 1]]);
  assert.deepEqual(roundValues(14.3, 14.3), [1, []]);
});
