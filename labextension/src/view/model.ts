/**
 * What is known of a project: the fold of its events, without a page. The view draws it; a list, a status bar and
 * notifications follow it.
 *
 * Events come by the thousand, so the model is changed in place and tells its subscribers at most once for each turn of
 * its scheduler. Everything that grows has a bound.
 */

import type { ConnectionStatus, StatusDetail } from '../client/connection';
import { boundPoints, boundRuns, MAX_HISTORY, trim } from './bounds';
import { FOLDS, LIGHT } from './folds';
import type {
  Artifact,
  Bundle,
  ChatLine,
  Dataset,
  Evaluation,
  Gate,
  HistoryEntry,
  Json,
  LeaderboardRow,
  LogLine,
  ModelCandidate,
  Moment,
  Person,
  Resources,
  Run,
  Stage
} from './records';
import { needsRework, Rerun, rerun, Rules } from './rules';
import { Series } from './series';
import { STAGES, StageId, stageIndex } from './stages';

export type Schedule = (callback: () => void) => void;

export class ProjectModel {
  readonly projectId: string;

  connection: ConnectionStatus = 'connecting';
  detail: StatusDetail = {};
  serverVersion = '';
  user: Person | null = null;
  limits: Record<string, Json> = {};
  /** What each stage depends on; empty while the server has not said so. */
  rules: Rules = new Map();
  epoch: string | null = null;
  /** The newest event that is folded. */
  seq = 0;
  /** The newest event that there was when the connection opened; until then the model is catching up. */
  head = 0;
  /** HELLO was heard. */
  greeted = false;
  /** All that had happened before was folded once; from then on people are told of what is new. */
  ready = false;

  stages!: Record<StageId, Stage>;
  current!: StageId;
  gate!: Gate | null;
  history!: HistoryEntry[];
  chat!: ChatLine[];
  log!: LogLine[];
  datasets!: Dataset[];
  datasetId!: string | null;
  columns!: string[];
  sample!: { url: string; rows: number } | null;
  profile!: {
    rows: number;
    cols: number;
    missing: number;
    types: Record<string, number>;
    warnings: string[];
  } | null;
  missingnessUrl!: string | null;
  distributionUrl!: string | null;
  parsed!: Json | null;
  split!: { train: number; val: number; test: number; stratified: boolean; seed: number } | null;
  steps!: Record<string, Json>[];
  models!: ModelCandidate[];
  runs!: Map<string, Run>;
  /** Runs of the training that is shown. */
  shown!: Set<string>;
  leaderboard!: LeaderboardRow[];
  best!: { runId: string; modelId: string; metric: { name: string; split: string; value: number | null } } | null;
  resources!: Resources | null;
  progress!: { text: string; pct: number } | null;
  evaluations!: Map<string, Evaluation>;
  reportUrl!: string | null;
  notebookUrl!: string | null;
  code!: { path: string; size: number }[];
  files!: Map<string, { path: string; size: number }>;
  artifacts!: Map<string, Artifact>;
  suggestions!: { title: string; why: string; chat: string }[];
  bundle!: Bundle | null;

  /** Raised by every change, and by changes of the curves alone. */
  version = 0;
  seriesVersion = 0;
  /** Raised by what adds, removes or renames something, not by the next point or percent. */
  structureVersion = 0;
  points = 0;

  /** What was said and has not come back as an event yet, by the message's id. */
  unheard = new Map<string, string>();

  /** The last problem that belongs to no control of the view. */
  problem: { code: string; message: string; at: number } | null = null;

  /** @internal Who withdrew a plan last. */
  rejected: { seq: number; by: Person | null } | null = null;

  private runOrder = 0;
  private subscribers = new Set<() => void>();
  private listeners = new Set<(moment: Moment) => void>();
  private scheduled = false;

  /**
   * @param schedule when subscribers are told of changes; a page passes one that follows the screen.
   */
  constructor(
    projectId: string,
    private readonly schedule: Schedule = callback => queueMicrotask(callback)
  ) {
    this.projectId = projectId;
    this.forget();
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

  get stage(): Stage {
    return this.stages[this.current];
  }

  /** Nothing was asked yet. */
  get isEmpty(): boolean {
    return this.current === 'PARSE_INTENT' && this.stage.status === 'PENDING';
  }

  get isFinished(): boolean {
    return this.stages.EXPORT.status === 'COMPLETED';
  }

  /** The run that leads; null while none has ended well. */
  get bestRun(): string | null {
    const board = this.leaderboard;
    if (this.best && (board.length === 0 || board.some(row => row.run_id === this.best!.runId))) {
      return this.best.runId;
    }
    return board.find(row => row.metric !== null && row.status === 'success')?.run_id ?? null;
  }

  get primaryMetric(): string {
    for (const id of [...this.shown].reverse()) {
      const run = this.runs.get(id);
      if (run) {
        return run.metric;
      }
    }
    for (const row of this.leaderboard) {
      const run = this.runs.get(row.run_id);
      if (run) {
        return run.metric;
      }
    }
    return this.stages.MODEL_SELECT.plan?.metric ?? '';
  }

  /** Runs that the training view shows, oldest first. */
  shownRuns(): Run[] {
    const found: Run[] = [];
    const board = new Set(this.leaderboard.map(row => row.run_id));
    for (const run of this.runs.values()) {
      if (this.shown.has(run.runId) || board.has(run.runId)) {
        found.push(run);
      }
    }
    return found;
  }

  runningRuns(): Run[] {
    return [...this.shown].map(id => this.runs.get(id)).filter((run): run is Run => run?.status === 'running');
  }

  /** What a restart of a stage runs again, with these members of its plan changed. */
  rerunOf(stageId: StageId, changed: readonly string[] = []): Rerun {
    return rerun(this.rules, stageId, changed, id => this.stages[id].attempt > 0 || this.stages[id].plan !== null);
  }

  /** Whether a stage has to work again before it can propose these changes. */
  needsRework(stageId: StageId, changed: readonly string[]): boolean {
    return needsRework(this.rules, stageId, changed);
  }

  canRestart(stageId: StageId): boolean {
    return !this.isEmpty && stageIndex(stageId) <= stageIndex(this.current);
  }

  /** The evaluation of the model that was kept, on the rows that no model has seen. */
  get finalEvaluation(): Evaluation | null {
    let latest: Evaluation | null = null;
    for (const evaluation of this.evaluations.values()) {
      if (evaluation.split === 'test') {
        latest = evaluation;
      }
    }
    return latest;
  }

  /** Place of an asset below the server's root, where its event said so. */
  pathOf(url: string | null): string | null {
    if (!url) {
      return null;
    }
    for (const artifact of this.artifacts.values()) {
      if (artifact.url === url && typeof artifact.meta.path === 'string') {
        return artifact.meta.path;
      }
    }
    return null;
  }

  // -- what comes in -------------------------------------------------------------------------------------------

  setConnection(status: ConnectionStatus, detail: StatusDetail): void {
    this.connection = status;
    this.detail = detail;
    if (detail.waiting === 0) {
      this.unheard.clear();
    }
    this.changed(true);
  }

  /** Note a problem, or that it was read (null). */
  report(problem: { code: string; message: string } | null): void {
    this.problem = problem && { ...problem, at: Date.now() };
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

  /** Fold a frame in the envelope. */
  apply(frame: Json): void {
    const name: string = frame?.event?.name ?? '';
    const payload = frame?.event?.payload ?? {};
    if (name === 'HELLO') {
      this.hello(payload);
      return;
    }
    if (frame.ephemeral || typeof frame.seq !== 'number' || frame.seq <= this.seq) {
      return;
    }
    this.seq = frame.seq;
    const fold = FOLDS[name];
    if (fold) {
      try {
        fold(this, payload, frame.ts, frame.seq);
      } catch (error) {
        // One event that makes no sense must not end the view; the others still tell how things stand.
        console.error(`Event ${frame.seq}, ${name}, of ${this.projectId} was left out.`, error);
      }
    }
    const caughtUp = !this.ready && this.seq >= this.head;
    this.ready ||= caughtUp;
    this.changed(caughtUp || !LIGHT.has(name));
  }

  private hello(payload: Json): void {
    const other = this.epoch !== null && payload.epoch !== this.epoch;
    if (other || (payload.resumed === false && this.seq > payload.seq)) {
      this.forget(); // another log, or this one as it was before (a backup was put back)
    }
    this.epoch = payload.epoch ?? null;
    this.serverVersion = String(payload.server_version ?? '');
    this.user = payload.user ?? null;
    this.limits = payload.limits ?? {};
    this.rules = new Map((payload.stages ?? []).map((rule: Json) => [rule.id, rule]));
    this.head = typeof payload.seq === 'number' ? payload.seq : 0;
    this.greeted = true;
    this.ready ||= this.seq >= this.head;
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
      epoch: 0,
      epochs: 0,
      startedTs: ts,
      endedTs: null,
      attempt: this.stage.attempt,
      order: this.runOrder++,
      series: new Map(),
      final: [],
      resources: null
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

  /** @internal A new training: what the last one showed is no longer shown. */
  newTraining(): void {
    this.shown = new Set();
    this.leaderboard = [];
    this.best = null;
    this.resources = null;
  }

  /** @internal What a stage said is void once it is set back. */
  setBack(stageId: StageId): void {
    switch (stageId) {
      case 'PROFILE_DATA':
        this.profile = null;
        this.missingnessUrl = null;
        this.distributionUrl = null;
        break;
      case 'PREPROCESS':
        this.split = null;
        this.steps = [];
        break;
      case 'TRAIN':
        this.newTraining();
        break;
      case 'REVIEW_EDIT':
        this.reportUrl = null;
        this.notebookUrl = null;
        this.suggestions = [];
        this.evaluations = new Map([...this.evaluations].filter(([, e]) => e.split !== 'test'));
        break;
      case 'EXPORT':
        this.bundle = null;
        break;
    }
  }

  private forget(): void {
    this.seq = 0;
    this.stages = Object.fromEntries(
      STAGES.map(id => [
        id,
        {
          id,
          status: 'PENDING',
          message: '',
          attempt: 0,
          reused: false,
          finishing: false,
          endedBy: null,
          startedTs: null,
          endedTs: null,
          plan: null,
          planId: '',
          approved: false,
          reruns: [],
          keeps: []
        } satisfies Stage
      ])
    ) as unknown as Record<StageId, Stage>;
    this.current = 'PARSE_INTENT';
    this.gate = null;
    this.history = [];
    this.chat = [];
    this.log = [];
    this.datasets = [];
    this.datasetId = null;
    this.columns = [];
    this.sample = null;
    this.profile = null;
    this.missingnessUrl = null;
    this.distributionUrl = null;
    this.parsed = null;
    this.split = null;
    this.steps = [];
    this.models = [];
    this.runs = new Map();
    this.shown = new Set();
    this.leaderboard = [];
    this.best = null;
    this.resources = null;
    this.progress = null;
    this.evaluations = new Map();
    this.reportUrl = null;
    this.notebookUrl = null;
    this.code = [];
    this.files = new Map();
    this.artifacts = new Map();
    this.suggestions = [];
    this.bundle = null;
    this.rejected = null;
    this.points = 0;
    this.runOrder = 0;
  }
}

