// @ts-nocheck: Node's types are not among the front end's.
/** What of the client needs no browser: addresses, waiting, the outbox, versions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay, FIRST_MS, MOST_MS, retryAfter } from './backoff';
import { Memory } from './memory';
import { newId, Outbox } from './outbox';
import { Position } from './position';
import { failure } from './rest';
import { closedWith, messageOf, say, textOf } from './sentences';
import { addresses, checkProjectId, socketUrl } from './urls';
import { versionNotice } from './version';

test('any form of the base URL names the same server', () => {
  for (const [given, host] of [
    ['ws://localhost:8000', 'localhost:8000/'],
    ['http://localhost:8000/', 'localhost:8000/'],
    ['http://localhost:8000/a%40b', 'localhost:8000/a%40b/'],
    ['http://localhost:8000/user/x/?token=y#z', 'localhost:8000/user/x/']
  ]) {
    assert.deepEqual(addresses(given), { http: `http://${host}`, ws: `ws://${host}` });
  }
  assert.equal(addresses('wss://example.org').http, 'https://example.org/');
  assert.equal(addresses('/hub/', 'https://example.org/a/b?c').ws, 'wss://example.org/hub/');
  assert.throws(() => addresses('nonsense'), /no address/);
  assert.throws(() => addresses('ftp://example.org'), /no ws, wss, http or https/);
});

test('the socket is asked to go on where it was, in the log that it was in', () => {
  const base = addresses('ws://localhost:8000');
  assert.equal(socketUrl(base, 'demo-project', {}), 'ws://localhost:8000/ws/projects/demo-project');
  assert.equal(
    socketUrl(base, 'p', { since: 0, epoch: 'a b', token: 't&=' }),
    'ws://localhost:8000/ws/projects/p?since=0&epoch=a+b&token=t%26%3D'
  );
  assert.equal(socketUrl(base, 'p', { since: null, epoch: 'a' }), 'ws://localhost:8000/ws/projects/p');
});

test('a project id that the server would not take is told at once', () => {
  checkProjectId('demo-project');
  for (const wrong of ['', '-a', 'a/b', 'ä', 'a'.repeat(65)]) {
    assert.throws(() => checkProjectId(wrong), TypeError);
  }
});

test('attempts come later each time, spread, and never before the server asked for', () => {
  for (let n = 0; n < 40; n++) {
    const whole = Math.min(MOST_MS, FIRST_MS * 2 ** n);
    assert.ok(delay(n, 0, () => 0) >= whole / 2 - 1);
    assert.ok(delay(n, 0, () => 1) <= whole);
  }
  assert.equal(delay(0, 60_000, () => 0.5), 60_000);
  assert.equal(retryAfter('2', 0), 2000);
  assert.equal(retryAfter('Thu, 01 Jan 1970 00:00:05 GMT', 1000), 4000);
  assert.equal(retryAfter(null, 0), 0);
  assert.equal(retryAfter('soon', 0), 0);
});

test('what was not acknowledged is there after a reload, in its order; what was is not', () => {
  const store = new Memory();
  let now = 1000;
  const first = new Outbox('p:', store, () => now);
  for (const id of ['a', 'b', 'c']) {
    first.add({ type: 'chat', text: id, id }, null);
  }
  first.remove('b');
  const second = new Outbox('p:', store, () => now);
  assert.deepEqual(second.restore(1e6), []);
  assert.deepEqual(second.all().map(entry => entry.message.text), ['a', 'c']);
  now += 1;
  second.add({ type: 'chat', text: 'd', id: 'd' }, null);
  assert.deepEqual(second.all().map(entry => entry.message.text), ['a', 'c', 'd']);
});

test('a message keeps which log it is for, and gets one that is there later', () => {
  const store = new Memory();
  const first = new Outbox('p:', store);
  first.add({ type: 'chat', text: 'to one', id: 'a' }, 'one');
  first.add({ type: 'chat', text: 'before there was any', id: 'b' }, null);
  const epochs = () => {
    const page = new Outbox('p:', store);
    page.restore(1e9);
    return page.all().map(entry => entry.epoch);
  };
  assert.deepEqual(epochs(), ['one', null]);
  first.settle('two');
  assert.deepEqual(epochs(), ['one', 'two']);
});

test('another project, another page and rubbish in the storage do no harm', () => {
  const store = new Memory();
  new Outbox('p:', store).add({ type: 'chat', text: 'x', id: 'x' }, null);
  store.setItem('q:y', store.getItem('p:x'));
  store.setItem('p:z', '{"broken');
  store.setItem('p:w', '{"message": {"id": "other"}, "ts": 1, "n": 0}');
  const page = new Outbox('p:', store);
  page.restore(1e9);
  assert.deepEqual(page.all().map(entry => entry.message.id), ['x']);
});

test('what is older than it may be is handed back once', () => {
  const store = new Memory();
  let now = 0;
  new Outbox('p:', store, () => now).add({ type: 'command', command: 'cancel_run', id: 'old' }, null);
  now = 1000;
  assert.deepEqual(new Outbox('p:', store, () => now).restore(999).map(entry => entry.message.id), ['old']);
  assert.equal(store.length, 0);
});

test('a storage that is full or forbidden costs only the reload', () => {
  const store = {
    get length() {
      throw new Error('forbidden');
    },
    setItem() {
      throw new Error('full');
    },
    removeItem() {
      throw new Error('forbidden');
    }
  };
  const outbox = new Outbox('p:', store);
  outbox.add({ type: 'chat', text: 'x', id: 'x' }, null);
  assert.deepEqual(outbox.restore(1), []);
  assert.equal(outbox.size, 1);
  outbox.remove('x');
  assert.equal(outbox.size, 0);
});

test('what the client says by itself can be said in another language; what a server said stays', () => {
  const german = { __: (text, ...args) => `de: ${text.replace('%1', args[0])}` };
  assert.equal(messageOf(failure(502, '<html>', null), german), 'de: The server answered 502.');
  assert.equal(messageOf(failure(409, '{"message": "Failed to process message: No."}', null), german), 'No.');
  assert.equal(textOf(say('ANSWERED', 7)), 'The server answered 7.');
});

test('ids are of a length that the server takes, and do not repeat', () => {
  const ids = new Set(Array.from({ length: 1000 }, newId));
  assert.equal(ids.size, 1000);
  assert.ok([...ids].every(id => id.length === 32));
});

test('a server of another version is told, with what to do', () => {
  assert.equal(versionNotice('1.2.3', '1.2.3'), null);
  assert.match(versionNotice('1.10.0', '1.9.0'), /Reload the page/);
  assert.match(versionNotice('1.9.0', '1.10.0'), /Restart the Jupyter server/);
});

test('a failed request says what the server said, or at least its status', () => {
  const said = failure(429, '{"message": "Failed to process message: Too many.", "code": "RATE_LIMITED", "retry_after_ms": 70}', '1');
  assert.deepEqual([said.message, said.status, said.code, said.retryAfterMs], ['Too many.', 429, 'RATE_LIMITED', 70]);
  assert.equal(failure(502, '<html>', '3').message, 'The server answered 502.');
  assert.equal(failure(502, '<html>', '3').retryAfterMs, 3000);
});

test('why a server closed the socket is told apart where it uses one code for two things', () => {
  assert.equal(closedWith(1008, 'You may no longer read this project.'), 'NO_RIGHT');
  assert.equal(closedWith(1008, 'Too many messages, and still more after being told; send fewer.'), 'FLOODING');
  assert.equal(closedWith(1001, ''), 'GOING_DOWN');
  assert.equal(closedWith(1006, ''), 'CUT');
});

test('each event is taken once, and asked for again it comes again from the greeting on', () => {
  const store = new Memory();
  const position = new Position('p', store, { since: null, epoch: null });
  const hello = { seq: 10, epoch: 'e', resumed: false };
  assert.equal(position.greeted(hello), false);
  assert.deepEqual([10, 11, 11, 12].map(seq => position.take(seq)), [false, true, false, true]);
  position.resume(4, 'e');
  assert.deepEqual(position.next, { since: 4, epoch: 'e' });
  assert.deepEqual([12, 13].map(seq => position.take(seq)), [false, true]); // what was under way meanwhile
  assert.equal(position.greeted({ ...hello, resumed: true }), false);
  assert.deepEqual([4, 5, 13].map(seq => position.take(seq)), [false, true, true]);
  position.save();
  assert.deepEqual(new Position('p', store, { since: 0, epoch: null }).next, { since: 13, epoch: 'e' });
  assert.equal(position.greeted({ ...hello, epoch: 'f' }), true);
  assert.deepEqual([1, 2].map(seq => position.take(seq)), [true, true]);
});
