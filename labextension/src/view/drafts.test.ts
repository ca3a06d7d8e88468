// @ts-nocheck: Node's types are not among the front end's.
/** What was changed in forms and not sent, over reloads of the page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../client/memory';
import { Drafts, MAX_CHARS, MAX_PROJECTS } from './drafts';

const PLAN = { trials: 2, metric: 'recall' };
const plans = (revision, plan = PLAN) => ({
  planOf: stage => (stage === 'MODEL_SELECT' ? plan : null),
  revisionOf: () => revision
});
const edits = new Map([['/trials', 7]]);

function written() {
  const store = new Memory();
  const page = new Drafts('p', store);
  page.restore('e', plans('5 g1'));
  page.set('MODEL_SELECT', edits, '5 g1');
  return store;
}

/** The page is loaded again. */
function loaded(store, epoch, has) {
  const page = new Drafts('p', store);
  page.restore(epoch, has);
  return page;
}

test('changes of a plan are there after a reload, once more and once more, until they are undone', () => {
  const store = written();
  for (let i = 0; i < 2; i++) {
    const page = loaded(store, 'e', plans('5 g1'));
    assert.deepEqual(page.get('MODEL_SELECT'), edits);
    assert.deepEqual([...page.restored], ['MODEL_SELECT']);
    assert.equal(page.outdated.size, 0);
  }
  loaded(store, 'e', plans('5 g1')).set('MODEL_SELECT', new Map(), '5 g1');
  assert.equal(store.length, 0);
});

test('changes of another plan, gate or log are given up, and that is known once', () => {
  for (const [epoch, revision] of [['e', '9 g1'], ['e', '5 g2'], ['e', '5 '], ['f', '5 g1']]) {
    const store = written();
    const page = loaded(store, epoch, plans(revision));
    assert.equal(page.get('MODEL_SELECT'), undefined);
    assert.deepEqual([...page.outdated], ['MODEL_SELECT']);
    assert.equal(store.length, 0);
  }
});

test('changes that the plan has by now were sent', () => {
  const page = loaded(written(), 'e', plans('9 g2', { ...PLAN, trials: 7 }));
  assert.equal(page.get('MODEL_SELECT'), undefined);
  assert.equal(page.outdated.size, 0);
});

test('a form without changes takes none away that another view of the page has', () => {
  const store = written();
  new Drafts('p', store).set('MODEL_SELECT', new Map(), '5 g1');
  assert.equal(store.length, 1);
});

test('what is kept has a bound', () => {
  const store = new Memory();
  for (let i = 0; i < 3 * MAX_PROJECTS; i++) {
    const page = new Drafts(`p${i}`, store);
    page.set('MODEL_SELECT', edits, '5 g1');
  }
  assert.equal(store.length, MAX_PROJECTS);
  assert.ok(store.getItem(`jppl-edits-p${3 * MAX_PROJECTS - 1}`));
  const page = new Drafts('large', store);
  page.set('MODEL_SELECT', new Map([['/trials', 'x'.repeat(MAX_CHARS)]]), '5 g1');
  assert.equal(store.getItem('jppl-edits-large'), null);
  assert.equal(page.get('MODEL_SELECT').size, 1);
});

test('rubbish in the storage, or none, does no harm', () => {
  const store = new Memory();
  for (const text of ['{"broken', '{}', '{"stages": null}', '[]', '{"epoch": "e", "stages": {"MODEL_SELECT": {}}}']) {
    store.setItem('jppl-edits-p', text);
    assert.equal(loaded(store, 'e', plans('5 g1')).get('MODEL_SELECT'), undefined);
  }
  const none = new Drafts('p', null);
  none.restore('e', plans('5 g1'));
  none.set('MODEL_SELECT', edits, '5 g1');
  assert.deepEqual(none.get('MODEL_SELECT'), edits);
  const full = {
    length: 0,
    getItem: () => null,
    setItem() {
      throw new Error('full');
    },
    removeItem() {}
  };
  const page = new Drafts('p', full);
  page.set('MODEL_SELECT', edits, '5 g1');
  assert.deepEqual(page.get('MODEL_SELECT'), edits);
});
