// @ts-nocheck: Node's types are not among the front end's.
/** What is found and what is right from a threshold on, against counting rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atThreshold } from './threshold';

const SCORES = [0.1, 0.2, 0.2, 0.4, 0.7, 0.9];
const TRUE = [0, 0, 1, 0, 1, 1];
/** As scikit-learn makes it of these rows. */
const CURVE = {
  precision: [3 / 6, 3 / 5, 2 / 3, 1, 1, 1],
  recall: [1, 1, 2 / 3, 2 / 3, 1 / 3, 0],
  threshold: [0.1, 0.2, 0.4, 0.7, 0.9, null]
};

test('a threshold tells what counting the rows tells', () => {
  for (const threshold of [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.7, 0.9]) {
    const called = TRUE.filter((_, i) => SCORES[i] >= threshold);
    const right = called.filter(Boolean).length;
    assert.deepEqual(atThreshold(CURVE, threshold), { precision: right / called.length, recall: right / 3 });
  }
});

test('where no row is called so, nothing is told, and a class that is never found is no class to tell of', () => {
  assert.equal(atThreshold(CURVE, 0.95), null);
  assert.equal(atThreshold({ precision: [], recall: [], threshold: [] }, 0.5), null);
  assert.equal(atThreshold({ precision: [0, 1], recall: [0, 0], threshold: [0.6, null] }, 0.5), null);
});
