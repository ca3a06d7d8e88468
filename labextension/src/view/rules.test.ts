// @ts-nocheck: Node's types are not among the front end's.
/** What a restart runs again, by a rule as HELLO sends it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsRework, rerun } from './rules';
import { STAGES } from './stages';

const rule = (id, reads = {}, more = {}) => [id, { id, reads, follows: [], rework: [], ...more }];
const RULES = new Map([
  rule('PARSE_INTENT'),
  rule('DATA_SOURCE', { PARSE_INTENT: ['target'] }, { rework: ['target'] }),
  rule('PROFILE_DATA', { DATA_SOURCE: ['target'] }),
  rule('PREPROCESS', { PROFILE_DATA: null }),
  rule('MODEL_SELECT', { DATA_SOURCE: null, PREPROCESS: null }),
  rule('TRAIN', { MODEL_SELECT: null }),
  rule('REVIEW_EDIT', { TRAIN: null }, { follows: ['TRAIN'] }),
  rule('EXPORT', { REVIEW_EDIT: null }, { follows: ['REVIEW_EDIT'] })
]);
const all = () => true;

test('without a change only the stage itself runs for certain', () => {
  assert.deepEqual(rerun(RULES, 'MODEL_SELECT', [], all), {
    again: ['MODEL_SELECT'],
    perhaps: ['TRAIN', 'REVIEW_EDIT', 'EXPORT'],
    kept: STAGES.slice(0, 4)
  });
});

test('what reads the changed member runs for certain, and what follows its attempts', () => {
  assert.deepEqual(rerun(RULES, 'MODEL_SELECT', ['trials'], all).again, ['MODEL_SELECT', 'TRAIN', 'REVIEW_EDIT', 'EXPORT']);
  const metric = rerun(RULES, 'DATA_SOURCE', ['metric'], all);
  assert.deepEqual(metric.again, ['DATA_SOURCE', 'MODEL_SELECT']);
  assert.deepEqual(metric.perhaps, ['PROFILE_DATA', 'PREPROCESS', 'TRAIN', 'REVIEW_EDIT', 'EXPORT']);
});

test('a stage that never ran is not promised', () => {
  const found = rerun(RULES, 'TRAIN', [], id => id !== 'EXPORT');
  assert.deepEqual(found.again, ['TRAIN', 'REVIEW_EDIT']);
  assert.deepEqual(found.perhaps, []);
});

test('a server that says nothing of it: everything later may run again, and changes are not held back', () => {
  assert.deepEqual(rerun(new Map(), 'TRAIN', ['keep'], all).perhaps, ['REVIEW_EDIT', 'EXPORT']);
  assert.equal(needsRework(new Map(), 'PREPROCESS', ['split']), false);
  assert.equal(needsRework(RULES, 'DATA_SOURCE', ['metric']), false);
  assert.equal(needsRework(RULES, 'DATA_SOURCE', ['metric', 'target']), true);
});
