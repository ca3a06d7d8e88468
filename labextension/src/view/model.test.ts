// @ts-nocheck: Node's types are not among the front end's.
/** The fold, on the log of a real project (test/), against what the server itself says of the same project. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { MAX_CHAT, MAX_LOG, MAX_RUNS, MAX_TOTAL_POINTS } from './bounds';
import { ProjectModel } from './model';
import { MAX_POINTS, Series } from './series';
import { STAGES } from './stages';

const read = name => JSON.parse(gunzipSync(readFileSync(`test/binary.${name}.json.gz`)).toString());
const EVENTS = read('events');
const STATE = read('state');

function hello(seq, epoch = 'one') {
  return {
    ephemeral: true,
    seq,
    event: { name: 'HELLO', payload: { epoch, seq, server_version: '0.1.0', resumed: true } }
  };
}

function folded(until = Infinity, from = new ProjectModel('binary')) {
  from.apply(hello(0));
  EVENTS.filter(e => e.seq <= until).forEach(e => from.apply(e));
  return from;
}

const seqOf = (name, nth = 0) => EVENTS.filter(e => e.event.name === name)[nth].seq;

test('what the server says of the current stage when the connection opens stands until something happens', () => {
  const upTo = seqOf('STAGE_STATUS');
  const model = new ProjectModel('binary');
  const message = 'What happens cannot be stored now.';
  model.apply(hello(upTo));
  model.apply({ ephemeral: true, event: { name: 'STAGE_STATUS', payload: { stage_id: 'PARSE_INTENT', message } } });
  EVENTS.filter(e => e.seq <= upTo).forEach(e => model.apply(e));
  assert.deepEqual(model.standing, { stageId: 'PARSE_INTENT', message });
  model.apply(EVENTS.find(e => e.seq > upTo));
  assert.equal(model.standing, null);
});

test('what runs is counted by the server\'s clock, and not while the log is still being read', () => {
  const began = EVENTS.find(e => e.event.name === 'STAGE_STATUS' && e.event.payload.stage_id === 'TRAIN' && e.event.payload.status === 'IN_PROGRESS');
  const next = EVENTS.find(e => e.seq === began.seq + 1);
  const page = began.ts + 3_600_000; // a page whose clock is an hour before
  const now = Date.now;
  Date.now = () => page;
  try {
    const model = new ProjectModel('binary');
    model.apply({ ...hello(began.seq + 1), ts: next.ts + 5_000 });
    EVENTS.filter(e => e.seq <= began.seq).forEach(e => model.apply(e));
    assert.equal(model.current, 'TRAIN');
    assert.equal(model.working, false);
    assert.equal(model.took('TRAIN', page), null);
    assert.ok(model.took('MODEL_SELECT', page) > 0);
    model.apply(next);
    assert.equal(model.working, true);
    assert.equal(model.took('TRAIN', page + 2_000), next.ts - began.ts + 7_000);
    EVENTS.forEach(e => model.apply(e));
    const { started_ts, ended_ts } = STATE.stages.find(stage => stage.id === 'TRAIN');
    assert.equal(model.took('TRAIN', page + 9_000), ended_ts - started_ts);
    assert.equal(model.working, false);
  } finally {
    Date.now = now;
  }
});

test('a training whose last run is at work goes on, and can be asked to end at once', () => {
  const at = EVENTS.findIndex(e => e.event.name === 'METRIC_SCALAR');
  const began = EVENTS.find(e => e.event.name === 'STAGE_STATUS' && e.event.payload.stage_id === 'TRAIN' && e.event.payload.status === 'IN_PROGRESS');
  const model = new ProjectModel('binary');
  EVENTS.slice(0, at + 1).forEach(e => model.apply(e));
  const { startedTs, attempt } = model.stages.TRAIN;
  const asked = (more: object) => {
    const payload = { ...began.event.payload, by: { id: 'ada', name: 'Ada' }, attempt, finishing: true, ...more };
    model.apply({ ...began, seq: model.seq + 1, ts: began.ts + 9_000, event: { ...began.event, payload } });
    const { finishing, lastRun, ...stage } = model.stages.TRAIN;
    assert.deepEqual([stage.startedTs, stage.attempt, model.runs.size > 0], [startedTs, attempt, true]);
    return [finishing, lastRun];
  };
  assert.deepEqual(asked({ last_run: true }), [true, true]);
  assert.deepEqual(asked({}), [true, false]);
});

test('the fold of a whole log is what the server says of the project', () => {
  const model = folded();
  assert.equal(model.seq, STATE.seq);
  assert.equal(model.current, STATE.current_stage);
  for (const stage of STATE.stages) {
    const mine = model.stages[stage.id];
    assert.equal(mine.status, stage.status, stage.id);
    assert.equal(mine.attempt, stage.attempt);
    assert.equal(mine.approved, stage.approved);
    assert.deepEqual(mine.plan, stage.plan_json);
    assert.equal(mine.startedTs, stage.started_ts);
    assert.equal(mine.endedTs, stage.ended_ts);
  }
  assert.deepEqual(model.leaderboard, STATE.leaderboard);
  assert.equal(model.best.runId, STATE.best_model.run_id);
  assert.deepEqual(model.datasets, STATE.datasets);
  assert.deepEqual(model.columns, STATE.columns);
  assert.deepEqual(model.models, STATE.models);
  assert.deepEqual([...model.artifacts.keys()].sort(), STATE.artifacts.map(a => a.id).sort());
  assert.equal(model.bundle.checksum, STATE.export.checksum);
  assert.deepEqual(
    [...model.runs.values()].map(r => [r.runId, r.modelId, r.status]),
    STATE.runs.map(r => [r.run_id, r.model_id, r.status])
  );
  assert.deepEqual(
    model.history.filter(h => h.kind === 'confirmed').map(h => [h.stageId, h.by.name, h.plan]),
    STATE.decisions.map(d => [d.stage_id, d.by.name, d.plan])
  );
  assert.equal(model.isFinished, true);
});

test('of a long log what the server says is shown, and what is new, until it is read beside', () => {
  const whole = folded();
  const half = Math.floor(EVENTS.length / 2);
  // What the server says was true before the last events, which come while the log is read.
  const asOf = seqOf('EXPORT_READY');
  const state = {
    ...STATE,
    seq: asOf - 1,
    export: null,
    stages: STATE.stages.map(s => (s.id === 'EXPORT' ? { ...s, status: 'IN_PROGRESS', ended_ts: null } : s))
  };
  const model = new ProjectModel('binary');
  const moments = [];
  model.onMoment(moment => moments.push(moment.kind));
  model.apply(hello(EVENTS.length));
  EVENTS.slice(0, half).forEach(e => model.apply(e));
  assert.equal(model.preview({ ...state, epoch: 'another' }), false);
  assert.equal(model.ready, false);
  assert.equal(model.preview({ ...state, epoch: 'one' }), true);
  assert.deepEqual([model.ready, model.read, model.seq], [true, half, asOf - 1]);
  const said = () => ({
    current: model.current,
    gate: model.gate,
    stages: STAGES.map(id => {
      const { finishing, reruns, ...stage } = model.stages[id];
      return { ...stage, took: model.took(id, 0), revision: model.revisionOf(id) };
    }),
    board: model.leaderboard,
    best: model.best,
    bundle: model.bundle,
    artifacts: [...model.artifacts.keys()].sort(),
    runs: [...model.runs.values()].map(({ runId, modelId, status, metric, config, final }) => ({ runId, modelId, status, metric, config, final })),
    shown: [...model.shown]
  });
  // What was on its way before the connection went on from there is not shown: it is read with the log.
  EVENTS.slice(half, asOf - 1).forEach(e => model.apply(e));
  assert.deepEqual([model.chat, model.history.length, model.bundle], [[], STATE.decisions.length, null]);
  EVENTS.slice(asOf - 1).forEach(e => model.apply(e));
  assert.deepEqual(model.bundle, whole.bundle);
  assert.deepEqual(moments, ['finished']);
  const shown = said();
  // Pages of any size: one that also has what was shown meanwhile adds nothing to it.
  for (let at = half; model.previewed; at += 50) {
    assert.equal(model.read, at);
    assert.deepEqual(said(), shown);
    model.readOn(EVENTS.slice(at, at + 50), Math.min(at + 50, EVENTS.length));
  }
  assert.deepEqual(said(), shown);
  assert.deepEqual(moments, ['finished']);
  for (const key of ['seq', 'points', 'chat', 'history', 'log', 'runs', 'evaluations', 'suggestions']) {
    assert.deepEqual(model[key], whole[key], key);
  }
});

test('what comes in great numbers while a long log is read is read with it', () => {
  const state = { ...STATE, epoch: 'one', seq: EVENTS.length };
  const model = new ProjectModel('binary');
  model.apply(hello(EVENTS.length));
  model.preview(state);
  const run = STATE.runs[0].run_id;
  const more = Array.from({ length: 6_000 }, (_, i) => {
    const payload = { run_id: run, name: 'loss', split: 'val', step: i, value: i, source: 'measured' };
    return { seq: EVENTS.length + 1 + i, ts: 1, event: { name: 'METRIC_SCALAR', payload } };
  });
  more.forEach(e => model.apply(e));
  const log = [...EVENTS, ...more];
  while (model.previewed) {
    model.readOn(log.slice(model.read, model.read + 500), model.read + 500);
  }
  const whole = folded();
  more.forEach(e => whole.apply(e));
  assert.deepEqual(model.runs, whole.runs);
  assert.equal(model.seq, log.length);
});

test('each gate is open from its event until it is confirmed, with the plan that a confirmation approves', () => {
  const model = new ProjectModel('binary');
  model.apply(hello(0));
  const opened = [];
  for (const event of EVENTS) {
    model.apply(event);
    if (event.event.name === 'WAITING_CONFIRMATION') {
      assert.equal(model.gate.gateId, event.event.payload.gate_id);
      assert.deepEqual(model.gate.plan, model.stages[model.gate.stageId].plan);
      opened.push(model.gate.stageId);
    }
    if (event.event.name === 'PLAN_APPROVED') {
      assert.equal(model.gate, null);
    }
  }
  assert.deepEqual(opened, STAGES.slice(0, -1));
});

test('curves hold exactly what was measured', () => {
  const model = folded();
  const measured = EVENTS.filter(e => e.event.name === 'METRIC_SCALAR').map(e => e.event.payload);
  let points = 0;
  for (const run of model.runs.values()) {
    for (const [key, series] of run.series) {
      const wanted = measured.filter(p => p.run_id === run.runId && `${p.name}/${p.split}` === key);
      assert.deepEqual([...series.x.slice(0, series.length)], wanted.map(p => p.step));
      assert.deepEqual([...series.y.slice(0, series.length)], wanted.map(p => p.value ?? NaN));
      points += series.length;
    }
  }
  assert.equal(points, measured.length);
  assert.equal(model.points, points);
});

test('an event that comes twice, or again after a reconnect, changes nothing', () => {
  const half = Math.floor(EVENTS.length / 2);
  const model = folded(half);
  const chat = model.chat.length;
  const points = model.points;
  EVENTS.slice(0, half).forEach(e => model.apply(e));
  assert.equal(model.chat.length, chat);
  assert.equal(model.points, points);
  model.apply(hello(half));
  assert.equal(model.seq, half);
});

test('another epoch is another log: what the old one said is forgotten', () => {
  const model = folded();
  model.apply(hello(0, 'two'));
  assert.equal(model.seq, 0);
  assert.equal(model.isEmpty, true);
  assert.equal(model.runs.size, 0);
  EVENTS.slice(0, 12).forEach(e => model.apply(e));
  assert.equal(model.gate.stageId, 'PARSE_INTENT');
});

test('what happened in another log before it was looked at is no news', () => {
  const model = folded();
  const told = [];
  model.onMoment(moment => told.push(moment));
  model.apply(hello(20, 'two'));
  assert.equal(model.ready, false);
  EVENTS.slice(0, 20).forEach(e => model.apply(e));
  assert.equal(model.ready, true);
  assert.deepEqual(told, []);
});

test('how long something takes is counted by the clock that says when it began', () => {
  const model = new ProjectModel('binary');
  model.apply({ ...hello(0), ts: Date.now() + 3_600_000 });
  const now = model.serverTime(Date.now());
  assert.ok(Math.abs(now - Date.now() - 3_600_000) < 1000);
  // A greeting that was three seconds on its way, as where many views open at once; then an event that was not.
  model.apply({ ...hello(0), ts: Date.now() - 3_000 });
  model.apply({ ephemeral: true, ts: Date.now(), event: { name: 'RESOURCE_STATS', payload: {} } });
  assert.ok(Math.abs(model.serverTime(Date.now()) - Date.now()) < 1000);
  model.apply(hello(0)); // a server that does not say
  assert.equal(model.serverTime(5), 5);
});

test('people are told only of what happens while they look, each thing once', () => {
  const model = new ProjectModel('binary');
  const told = [];
  model.onMoment(moment => told.push(moment));
  const gate = seqOf('WAITING_CONFIRMATION', 1);
  model.apply(hello(gate - 1));
  EVENTS.filter(e => e.seq < gate).forEach(e => model.apply(e));
  assert.deepEqual(told, []);
  EVENTS.filter(e => e.seq >= gate).forEach(e => model.apply(e));
  assert.deepEqual(
    told.filter(m => m.kind === 'gate').map(m => m.stageId),
    STAGES.slice(1, -1)
  );
  assert.equal(told.filter(m => m.kind === 'finished').length, 1);
});

test('a stage that somebody ended is no failure, until it fails by itself', () => {
  const model = folded();
  const told = [];
  model.onMoment(moment => told.push(moment));
  let seq = model.seq;
  const say = (status, more = {}) =>
    model.apply({
      seq: ++seq,
      ts: 1,
      stage: {},
      event: { name: 'STAGE_STATUS', payload: { stage_id: 'TRAIN', status, message: '', ...more } }
    });
  const ada = { username: 'ada', name: 'Ada' };
  say('IN_PROGRESS', { attempt: 9 });
  say('FAILED', { by: ada });
  assert.deepEqual(model.stage.endedBy, ada);
  assert.deepEqual(told.at(-1).by, ada);
  say('IN_PROGRESS', { attempt: 10, by: ada });
  assert.equal(model.stage.endedBy, null);
  say('FAILED');
  assert.equal(model.stage.endedBy, null);
  assert.equal(told.at(-1).by, null);
});

test('what a stage at work said last is there until a stage begins', () => {
  const model = folded(seqOf('CODE_WORKSPACE_READY'));
  assert.equal(model.current, 'REVIEW_EDIT');
  assert.equal(model.doing, model.log.at(-1).text);
  assert.notEqual(model.doing, '');
  let seq = model.seq;
  const event = { name: 'STAGE_STATUS', payload: { stage_id: 'EXPORT', status: 'IN_PROGRESS', message: '', attempt: 8 } };
  model.apply({ seq: ++seq, ts: 1, stage: {}, event });
  assert.equal(model.doing, '');
});

test('a training that is taken up by itself still shows what was finished, and one that somebody begins does not', () => {
  const at = EVENTS.filter(e => e.event.name === 'LEADERBOARD_UPDATED' && e.event.payload.rows.length > 1)[0].seq;
  const model = folded(at);
  assert.equal(model.stages.TRAIN.status, 'IN_PROGRESS');
  const [lost, ...done] = model.leaderboard;
  let seq = model.seq;
  const tell = (name, payload) => model.apply({ seq: ++seq, ts: 1, stage: {}, event: { name, payload } });
  const begin = more => tell('STAGE_STATUS', { stage_id: 'TRAIN', status: 'IN_PROGRESS', message: '', ...more });
  tell('LEADERBOARD_UPDATED', { rows: [{ ...lost, status: 'failed' }, ...done] });
  begin({ attempt: 90, retry: true });
  assert.deepEqual(model.leaderboard, done);
  assert.deepEqual(model.shownRuns().map(run => run.runId).sort(), done.map(row => row.run_id).sort());
  assert.equal(model.bestRun, done[0].run_id);
  begin({ attempt: 91, by: { username: 'a', name: 'Ada' } });
  assert.deepEqual(model.leaderboard, []);
});

test('a restart sets later stages back and forgets what they said', () => {
  const model = folded();
  let seq = model.seq;
  const say = payload =>
    model.apply({ seq: ++seq, ts: 1, stage: {}, event: { name: 'STAGE_STATUS', payload: { message: '', ...payload } } });
  assert.ok(model.finalEvaluation);
  for (const id of ['TRAIN', 'REVIEW_EDIT', 'EXPORT']) {
    say({ stage_id: id, status: 'PENDING' });
  }
  say({ stage_id: 'MODEL_SELECT', status: 'IN_PROGRESS', attempt: 9 });
  assert.equal(model.current, 'MODEL_SELECT');
  assert.equal(model.finalEvaluation, null);
  assert.equal(model.bundle, null);
  assert.deepEqual(model.leaderboard, []);
  assert.equal(model.isFinished, false);
  assert.equal(model.history.at(-1).kind, 'restarted');
  const last = model.history.length;
  say({ stage_id: 'MODEL_SELECT', status: 'IN_PROGRESS', attempt: 10, by: { username: 'a', name: 'Ada' } });
  assert.equal(model.history.length, last + 1, 'also one that did not wait, where its event names somebody');
  assert.equal(model.history.at(-1).by.name, 'Ada');
  const { plan } = model.stages.MODEL_SELECT;
  const params = { trials: plan.trials + 1, metric: plan.metric };
  say({ stage_id: 'MODEL_SELECT', status: 'IN_PROGRESS', attempt: 11, params, by: { username: 'a', name: 'Ada' } });
  assert.deepEqual(model.history.at(-1).patch, [{ op: 'replace', path: '/trials', value: plan.trials + 1 }]);
});

test('what a stage said is there again where its earlier result serves again', () => {
  const model = folded();
  let seq = model.seq;
  const say = payload =>
    model.apply({ seq: ++seq, ts: 1, stage: {}, event: { name: 'STAGE_STATUS', payload: { message: '', ...payload } } });
  const what = () =>
    structuredClone([model.finalEvaluation, model.reportUrl, model.notebookUrl, model.suggestions, model.profile, model.split, model.steps]);
  const before = what();
  assert.ok(before.every(Boolean));
  const attempts = Object.fromEntries(['PROFILE_DATA', 'PREPROCESS', 'REVIEW_EDIT'].map(id => [id, model.stages[id].attempt]));
  for (const id of Object.keys(attempts)) {
    say({ stage_id: id, status: 'PENDING' });
    say({ stage_id: id, status: 'PENDING' });
  }
  assert.deepEqual(what(), [null, null, null, [], null, null, []]);
  for (const [id, attempt] of Object.entries(attempts)) {
    say({ stage_id: id, status: 'IN_PROGRESS', attempt, reused: true });
  }
  assert.deepEqual(what(), before);
  say({ stage_id: 'REVIEW_EDIT', status: 'PENDING' });
  say({ stage_id: 'REVIEW_EDIT', status: 'IN_PROGRESS', attempt: 99 });
  assert.equal(model.finalEvaluation, null, 'another attempt has to say its own');
});

test('an event that makes no sense is left out, and what follows is folded', t => {
  t.mock.method(console, 'error', () => undefined);
  const model = folded();
  model.apply({ seq: model.seq + 1, ts: 1, event: { name: 'PLAN_PROPOSED', payload: { stage_id: 'NEW_STAGE' } } });
  model.apply({
    seq: model.seq + 1,
    ts: 2,
    event: { name: 'LOG_LINE', payload: { run_id: 'chat', level: 'info', text: 'still here', source: 'assistant' } }
  });
  assert.equal(model.chat.at(-1).text, 'still here');
});

test('a log that was put back from a backup is folded from its start', () => {
  const model = folded();
  const back = hello(5);
  back.event.payload.resumed = false;
  model.apply(back);
  EVENTS.slice(0, 5).forEach(e => model.apply(e));
  assert.equal(model.seq, 5);
  assert.equal(model.isFinished, false);
});

test('subscribers hear of many events at once', async () => {
  const model = new ProjectModel('binary');
  let calls = 0;
  model.subscribe(() => calls++);
  folded(Infinity, model);
  assert.equal(calls, 0);
  await new Promise(resolve => setTimeout(resolve));
  assert.equal(calls, 1);
});

test('a day of events stays within bounds', () => {
  const model = folded(seqOf('TRAIN_RUN_STARTED') - 1);
  let seq = model.seq;
  const say = (name, payload) => model.apply({ seq: ++seq, ts: seq, stage: {}, event: { name, payload } });
  for (let run = 0; run < MAX_RUNS + 150; run++) {
    const run_id = `run-${run}`;
    say('TRAIN_RUN_STARTED', { run_id, model_id: 'linear', metric_primary: 'recall', config: {} });
    for (let step = 0; step < 1500; step++) {
      say('METRIC_SCALAR', { run_id, name: 'loss', split: 'train', step, value: Math.sin(step) });
      say('METRIC_SCALAR', { run_id, name: 'loss', split: 'val', step, value: Math.cos(step) });
    }
    say('TRAIN_RUN_FINISHED', { run_id, status: 'success', final_metrics: { metrics: [] } });
    say('LOG_LINE', { run_id: 'chat', level: 'info', text: 'x', source: 'user' });
    for (let i = 0; i < 5; i++) {
      say('LOG_LINE', { run_id, level: 'info', text: 'x', source: 'y' });
    }
  }
  let points = 0;
  for (const run of model.runs.values()) {
    for (const series of run.series.values()) {
      points += series.length;
    }
  }
  assert.equal(points, model.points);
  assert.ok(points <= MAX_TOTAL_POINTS);
  assert.ok(model.runs.size <= MAX_RUNS);
  assert.ok(model.runs.has(`run-${MAX_RUNS + 149}`));
  assert.ok(model.chat.length <= MAX_CHAT * 1.25);
  assert.ok(model.log.length <= MAX_LOG * 1.25);
});

test('a thinned curve keeps its peaks, its ends and its order', () => {
  const series = new Series();
  const n = 50_000;
  for (let i = 0; i < n; i++) {
    series.push(i, i === 12_345 ? 99 : i === 31_000 ? -99 : i === 777 ? null : Math.sin(i / 50));
  }
  assert.ok(series.length <= MAX_POINTS);
  assert.equal(series.seen, n);
  const x = [...series.x.slice(0, series.length)];
  const y = [...series.y.slice(0, series.length)];
  assert.equal(y[x.indexOf(12_345)], 99);
  assert.equal(y[x.indexOf(31_000)], -99);
  assert.equal(x.at(-1), n - 1);
  assert.equal(x[0], 0);
  assert.deepEqual(x, [...new Set(x)].sort((a, b) => a - b));
  const early = x.filter(v => v < n / 10).length;
  assert.ok(early > series.length / 20, 'the beginning is not thinned more than the rest');
  for (let i = 0; i < x.length; i++) {
    assert.ok(x[i] === 12_345 || x[i] === 31_000 || Number.isNaN(y[i]) || y[i] === Math.sin(x[i] / 50));
  }
});
