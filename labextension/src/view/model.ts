/**
 * What is known of a project: the fold of its events, without a page. The view draws it; a list, a status bar and
 * notifications follow it.
 *
 * Events come by the thousand, so the model is changed in place and tells its subscribers at most once for each turn of
 * its scheduler.
 */

import type { ConnectionStatus, StatusDetail } from '../client/connection';
import type { Store } from '../client/outbox';
import type { CommandArgs, CommandSpec, Snapshot } from '../protocol/types';
import { boundPoints, boundRuns, MAX_HISTORY, trim } from './bounds';
import { Drafts } from './drafts';
import { Facts, factsIn } from './facts';
import { FOLDS, LIGHT } from './folds';
import { paramsOf } from './patch';
import type { HistoryEntry, Json, Moment, Person, Plan, Run } from './records';
import { needsRework, Rerun, rerun, Rules } from './rules';
import { Series } from './series';
import { factsOf } from './snapshot';
import type { StageId } from './stages';

const BUILT_IN: Record<keyof CommandArgs, true> = { restart_stage: true, cancel_run: true, select_dataset: true, update_plan: true };

/** Events that are kept for when the log is read up to them; more are read there. */
const MAX_KEPT = 5000;

export type Schedule = (callback: () => void) => void;

export class ProjectModel extends Facts {
  readonly projectId: string;

  connection: ConnectionStatus = 'connecting';
  detail: StatusDetail = {};
  /** How often a connection was opened. */
  opened = 0;
  serverVersion = '';
  user: Person | null = null;
  /** What each stage depends on; empty while the server has not said so. */
  rules: Rules = new Map();
  /** The commands that plugins add to those that every project has. */
  commands: readonly CommandSpec[] = [];
  epoch: string | null = null;
  /** The newest event that there was when the connection opened; until then the model is catching up. */
  head = 0;
  /** HELLO was heard. */
  greeted = false;
  /** What is shown is the project as it stands; from then on people are told of what is new. */
  ready = false;

  /**
   * What the server said of the current stage when the connection opened, until something happens: it says more than
   * the events where what follows cannot be stored.
   */
  standing: { stageId: StageId; message: string } | null = null;

  /**
   * The log as far as it is read, while what the server says of the project is shown in its place; the event up to which
   * it has to be read, and what came after that, which is shown already.
   */
  private past: { model: ProjectModel; upTo: number; since: Json[] } | null = null;

  /** How far the server's clock is before this page's, in milliseconds; events have the server's time. */
  private ahead = 0;

  /** Raised by every change, and by changes of the curves alone. */
  version = 0;
  seriesVersion = 0;
  /** Raised by what adds, removes or renames something, not by the next point or percent. */
  structureVersion = 0;

  /** What was said and has not come back as an event yet, by the message's id. */
  unheard = new Map<string, string>();

  /** What was said and could not be sent, for whoever said it, and why; until the box to say it in has taken it. */
  returned: { texts: string[]; why: string } | null = null;

  /** What was changed in the stages' forms and not sent. */
  readonly drafts: Drafts;

  /** The last problem that belongs to no control of the view. */
  problem: { code: string; message: string } | null = null;

  private subscribers = new Set<() => void>();
  private listeners = new Set<(moment: Moment) => void>();
  private scheduled = false;

  /**
   * @param schedule when subscribers are told of changes; a page passes one that follows the screen.
   * @param store where what was changed and not sent is kept for when the page is loaded again; null: nowhere.
   */
  constructor(
    projectId: string,
    private readonly schedule: Schedule = callback => queueMicrotask(callback),
    store: Store | null = null
  ) {
    super();
    this.projectId = projectId;
    this.drafts = new Drafts(projectId, store);
  }

  /** Call back after changes, many at a time; the function returned ends that. */
  subscribe(callback: () => void): () => void {
    this.subscribers.add(callback);
    return () => this.subscribers.delete(callback);
  }

  /** Call back for each thing that a person should hear of; the function returned ends that. */
  onMoment(callback: (moment: Moment) => void): () => void {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }

  /** Whether events that had happened before are still coming in. */
  get catchingUp(): boolean {
    return this.seq < this.head;
  }

  /** Whether what is shown began with what the server says of the project, and the log up to there is still being read. */
  get previewed(): boolean {
    return this.past !== null;
  }

  /** The newest event up to which the log is read. */
  get read(): number {
    return this.past ? this.past.model.seq : this.seq;
  }

  /** A time of this page's clock as the server's has it. */
  serverTime(now: number): number {
    return now + this.ahead;
  }

  /** Whether a stage is at work: what an older log says is running, while it is still being read, has ended long ago. */
  get working(): boolean {
    return this.stage.status === 'IN_PROGRESS' && (this.previewed || !this.catchingUp);
  }

  /** How long a stage took, or has been at work by now (this page's clock), in milliseconds; null where that is not known. */
  took(stageId: StageId, now: number): number | null {
    const { status, startedTs, endedTs } = this.stages[stageId];
    const end = endedTs ?? (this.working && status === 'IN_PROGRESS' ? this.serverTime(now) : null);
    return startedTs !== null && end !== null ? Math.max(0, end - startedTs) : null;
  }

  /** What a restart of a stage runs again, with these members of its plan changed. */
  rerunOf(stageId: StageId, changed: readonly string[] = []): Rerun {
    return rerun(this.rules, stageId, changed, id => this.stages[id].attempt > 0 || this.stages[id].plan !== null);
  }

  /** Whether a stage has to work again before it can propose these changes. */
  needsRework(stageId: StageId, changed: readonly string[]): boolean {
    return needsRework(this.rules, stageId, changed);
  }

  /** The plan that a stage's form shows without its changes: what waits, or what was decided. */
  planOf(stageId: StageId): Plan | null {
    return this.gate?.stageId === stageId ? this.gate.plan : this.stages[stageId].plan;
  }

  /** Names that plan: another proposal has another name, and so has the same one once it is decided. */
  revisionOf(stageId: StageId): string {
    const gate = this.gate?.stageId === stageId ? this.gate.gateId : '';
    return `${this.stages[stageId].planId} ${gate}`;
  }

  /** The members that were changed in a stage's form and not sent, as a restart takes them. */
  unsent(stageId: StageId): Record<string, Json> {
    const [plan, edits] = [this.planOf(stageId), this.drafts.get(stageId)];
    return plan && edits?.size ? paramsOf(plan, edits) : {};
  }

  // -- what comes in -------------------------------------------------------------------------------------------

  setConnection(status: ConnectionStatus, detail: StatusDetail): void {
    this.opened += Number(status === 'open' && this.connection !== 'open');
    this.connection = status;
    this.detail = detail;
    if (detail.waiting === 0) {
      this.unheard.clear();
    }
    this.changed(true);
  }

  /** Note a problem, or that it was read (null). */
  report(problem: { code: string; message: string } | null): void {
    this.problem = problem;
    this.changed(true);
  }

  /** Something was said. */
  said(id: string, text: string): void {
    this.unheard.set(id, text);
    this.changed(true);
  }

  /** It will not come: it was refused. */
  unsaid(id: string): void {
    if (this.unheard.delete(id)) {
      this.changed(true);
    }
  }

  /** Give back what was said and could not be sent. */
  giveBack(text: string, why: string): void {
    this.returned = { texts: [...(this.returned?.texts ?? []), text], why };
    this.changed(true);
  }

  /** Fold a frame in the envelope. */
  apply(frame: Json): void {
    const name: string = frame?.event?.name ?? '';
    const payload = frame?.event?.payload ?? {};
    if (name === 'HELLO') {
      this.hello(payload, frame.ts);
      return;
    }
    this.heardAt(frame.ts);
    if (frame.ephemeral && name === 'STAGE_STATUS') {
      this.standing = { stageId: payload.stage_id, message: String(payload.message ?? '') };
      this.changed(true);
      return;
    }
    if (frame.ephemeral || typeof frame.seq !== 'number' || frame.seq <= this.seq) {
      return;
    }
    this.fold(frame);
    if (this.past && this.past.since.push(frame) > MAX_KEPT) {
      Object.assign(this.past, { upTo: this.seq, since: [] }); // the log has them too
    }
    if (this.seq > this.head) {
      this.standing = null;
    }
    const caughtUp = !this.ready && this.seq >= this.head;
    if (caughtUp) {
      this.caughtUp();
    }
    this.changed(caughtUp || !LIGHT.has(name));
  }

  /** Nothing is heard before it was said: an event that was quicker to come than the greeting says better how the clocks stand. */
  private heardAt(ts: unknown): void {
    if (typeof ts === 'number') {
      this.ahead = Math.max(this.ahead, ts - Date.now());
    }
  }

  private fold(frame: Json): void {
    const { name, payload } = frame.event;
    this.seq = frame.seq;
    try {
      FOLDS[name]?.(this, payload ?? {}, frame.ts, frame.seq);
    } catch (error) {
      // One event that makes no sense must not end the view; the others still tell how things stand.
      console.error(`Event ${frame.seq}, ${name}, of ${this.projectId} was left out.`, error);
    }
  }

  /**
   * Show what the server says of the project, and go on from there, while the log, which is long and says more, is read
   * up to there (`readOn`). Returns whether that is wanted.
   */
  preview(state: Snapshot): boolean {
    if (this.ready || state.epoch !== this.epoch || state.seq <= this.seq) {
      return false;
    }
    const model = Object.assign(new ProjectModel(this.projectId), factsIn(this));
    this.past = { model, upTo: state.seq, since: [] };
    Object.assign(this, factsOf(state), { seq: state.seq });
    this.caughtUp();
    this.changed(true);
    return true;
  }

  /** Take a page of the log that is read beside what is shown, up to an event; the last one shows all of it. */
  readOn(frames: Json[], next: number): void {
    const { model, upTo, since } = this.past!;
    frames.forEach(frame => frame.seq <= upTo && model.fold(frame));
    model.seq = Math.min(next, upTo);
    const whole = model.seq === upTo;
    if (whole) {
      since.forEach(frame => model.fold(frame));
      Object.assign(this, factsIn(model), { seq: this.seq });
      this.past = null;
      this.seriesVersion += 1;
    }
    this.changed(whole);
  }

  private caughtUp(): void {
    this.ready = true;
    this.drafts.restore(this.epoch, this);
  }

  private hello(payload: Json, ts: number | undefined): void {
    const other = this.epoch !== null && payload.epoch !== this.epoch;
    if (other || (payload.resumed === false && this.seq > payload.seq)) {
      this.past = null;
      Object.assign(this, new Facts()); // another log, or this one as it was before (a backup was put back)
      this.ready = false;
      this.drafts.clear();
    }
    this.epoch = payload.epoch ?? null;
    this.serverVersion = String(payload.server_version ?? '');
    this.user = payload.user ?? null;
    this.commands = (payload.commands ?? []).filter((spec: CommandSpec) => !(spec.name in BUILT_IN));
    this.rules = new Map((payload.stages ?? []).map((rule: Json) => [rule.id, rule]));
    this.head = typeof payload.seq === 'number' ? payload.seq : 0;
    this.ahead = typeof ts === 'number' ? ts - Date.now() : 0;
    this.greeted = true;
    if (!this.ready && this.seq >= this.head) {
      this.caughtUp();
    }
    this.changed(true);
  }

  /** Tell whoever is interested, not now but when the scheduler says. */
  changed(structure: boolean): void {
    this.version += 1;
    if (structure) {
      this.structureVersion += 1;
    }
    if (this.scheduled || this.subscribers.size === 0) {
      return;
    }
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      for (const callback of [...this.subscribers]) {
        callback();
      }
    });
  }

  /** @internal */
  say(moment: Moment): void {
    if (this.ready) {
      for (const listener of [...this.listeners]) {
        listener(moment);
      }
    }
  }

  /** @internal */
  remember(entry: HistoryEntry): void {
    this.history.push(entry);
    trim(this.history, MAX_HISTORY);
  }

  /** @internal */
  addRun(payload: Json, ts: number): void {
    const run: Run = {
      runId: payload.run_id,
      modelId: payload.model_id,
      metric: payload.metric_primary,
      config: payload.config ?? {},
      status: 'running',
      reason: '',
      phase: 'init',
      pct: 0,
      etaS: null,
      startedTs: ts,
      endedTs: null,
      series: new Map(),
      final: []
    };
    this.runs.set(run.runId, run);
    if (this.current === 'TRAIN') {
      this.shown.add(run.runId);
    }
    boundRuns(this);
  }

  /** @internal */
  addPoint(run: Run, name: string, split: string, step: number, value: number | null): void {
    const key = `${name}/${split}`;
    let series = run.series.get(key);
    if (!series) {
      series = new Series();
      run.series.set(key, series);
      this.structureVersion += 1;
    }
    const before = series.length;
    series.push(step, value);
    this.points += series.length - before;
    this.seriesVersion += 1;
    boundPoints(this);
  }
}
