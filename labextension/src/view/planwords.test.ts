// @ts-nocheck: Node's types are not among the front end's.
/** What the history says of changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { english } from '../translation';
import { ProjectModel } from './model';
import { changesInWords, inLabels, inWords } from './planwords';

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

test('data are named as people see them, not by their id', () => {
  const told = new ProjectModel('told');
  told.datasets = [{ id: 'workspace:lab/glass.csv', name: 'lab/glass.csv', source: 'workspace', desc: '', meta: {} }];
  assert.equal(inWords('dataset_id', 'workspace:lab/glass.csv', told, english), 'lab/glass.csv');
  assert.equal(inWords('dataset', 'glass', told, english), 'glass');
});

test('a refusal names what stands on the screen, and leaves the rest as it is', () => {
  const valid = 'This makes no valid plan of the stage Models: ';
  for (const [said, read] of [
    [`${valid}trials must be a whole number of at most 1,000.`, `${valid}Settings tried for each model must be a whole number of at most 1,000.`],
    [`${valid}split.val_fraction must be a number above 0.`, `${valid}Validation must be a number above 0.`],
    ['Too few rows are left: lower val_fraction or test_fraction.', 'Too few rows are left: lower Validation or Test.'],
    ['A time split needs split.column, one of a, b.', 'A time split needs Column, one of a, b.'],
    // A column of the data, a word of the sentence, a parameter of a model, a name that the view has no label for.
    ["There is no column 'event_log'; the target is decided at the stage Data.", null],
    ['LightGBM: num_leaves must be at least 2.', null]
  ]) {
    assert.equal(inLabels(said, english), read ?? said);
  }
});
