// @ts-nocheck: Node's types are not among the front end's.
/** What a view says through a kernel, and what it hears of it. The kernel's side is tested with real kernels (tests/browser). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Relay } from './relay';

/** What a front end gives a widget: a way to its kernel, which breaks when the kernel ends. */
function comm() {
  const listeners = {};
  const sent = [];
  return {
    sent,
    broken: false,
    on: (name, callback) => (listeners[name] = callback),
    off: name => delete listeners[name],
    tell: (name, content) => listeners[name]?.({ client: sent[0]?.client, ...content }),
    send(content) {
      if (this.broken) {
        throw new Error('Cannot send');
      }
      sent.push(content);
    }
  };
}

function connected(t) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1 });
  const model = comm();
  const seen = { statuses: [], errors: [], events: [] };
  const relay = new Relay(model);
  const connection = relay.connect({
    onStatusChange: (status, detail) => seen.statuses.push([status, detail.waiting]),
    onEvent: event => seen.events.push(event),
    onError: error => seen.errors.push([error.code, error.id])
  });
  const hello = { frame: { event: { name: 'HELLO', payload: { epoch: 'e', resumed: false } } } };
  model.tell('msg:custom', { kind: 'hello', ...hello });
  return { model, seen, connection, relay };
}

test('what is refused is not said to be on its way any more', t => {
  const { model, seen, connection } = connected(t);
  const id = connection.send({ type: 'confirm' });
  assert.deepEqual(seen.statuses.at(-1), ['open', 1]);
  model.tell('msg:custom', { kind: 'error', frame: { type: 'error', code: 'NOT_WAITING', id, message: 'No.' } });
  assert.deepEqual(seen.statuses.at(-1), ['open', 0]);
  assert.deepEqual(seen.errors, [['NOT_WAITING', id]]);
});

test('of a kernel that ended it is told once, it is not asked again, and what is said to it comes back', async t => {
  for (const ends of [model => model.tell('comm_live_update'), model => (model.broken = true)]) {
    const { model, seen, connection } = connected(t);
    ends(model);
    const first = connection.send({ type: 'confirm' });
    t.mock.timers.tick(60_000);
    const second = connection.send({ type: 'confirm' });
    await null;
    assert.deepEqual(seen.statuses.filter(([status]) => status === 'closed').length, 1);
    assert.deepEqual(seen.errors, [['CLOSED', first], ['CLOSED', second]]);
    assert.ok(!model.sent.some(content => content.kind === 'send'));
    t.mock.timers.reset();
  }
});

test('of a manager that was ended, as VS Code does where the kernel starts again, it is told', t => {
  const { model, seen } = connected(t);
  model.widget_manager = { isDisposed: false };
  t.mock.timers.tick(60_000);
  assert.deepEqual(seen.statuses.at(-1), ['open', 0]);
  model.widget_manager.isDisposed = true;
  t.mock.timers.tick(10_000);
  assert.equal(seen.statuses.at(-1)[0], 'closed');
});

test('a view goes on from where it says, and has nothing from before it', t => {
  const { model, seen, connection, relay } = connected(t);
  assert.equal(connection.send({ type: 'resume', since: 90, epoch: 'e' }), '');
  assert.deepEqual(model.sent.at(-1), { kind: 'start', since: 90, epoch: 'e', client: model.sent[0].client });
  model.tell('msg:custom', { kind: 'events', frames: [{ seq: 2 }, { seq: 90 }, { seq: 91 }] });
  assert.deepEqual(seen.events.map(event => event.seq), [undefined, 91]);
  assert.deepEqual(seen.statuses.at(-1), ['open', 0]);
  void relay.rest.events({ since: 0, limit: 1000, epoch: 'e' });
  assert.deepEqual([model.sent.at(-1).method, model.sent.at(-1).args], ['events', { since: 0, limit: 2500 }]);
});

test('over a night at a gate the kernel hears of its view, which it would forget', t => {
  const { model, connection } = connected(t);
  t.mock.timers.tick(3_000_000);
  const asked = () => model.sent.filter(content => content.kind === 'start').length;
  assert.ok(asked() > 1 && asked() < 10, `${asked()}`);
  connection.close();
  const before = model.sent.length;
  t.mock.timers.tick(3_000_000);
  assert.equal(model.sent.length, before);
});
