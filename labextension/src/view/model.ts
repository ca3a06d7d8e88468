/**
 * What is known of a project: the fold of its events, without a page. The view draws it; a list, a status bar and
 * notifications follow it.
 *
 * Events come by the thousand, so the model is changed in place and tells its subscribers at most once for each turn of
 * its scheduler. Everything that grows has a bound.
 */

import type { ConnectionStatus, StatusDetail } from '../client/connection';
import { Series } from './series';
import { dependents, STAGES, stageIndex, StageId, StageStatus } from './stages';

export const MAX_CHAT = 300;
export const MAX_LOG = 400;
export const MAX_HISTORY = 300;
export const MAX_FILES = 500;
export const MAX_RUNS = 400;
/** Points of all curves together; above it the curves of finished runs are thinned. */
export const MAX_TOTAL_POINTS = 1_500_000;
const THINNED = 256;

export type Json = any;
export type Plan = Record<string, Json>;

export interface Person {
  username: string;
  name: string;
}

export interface Stage {
  id: StageId;
  status: StageStatus;
  message: string;
  attempt: number;
  reused: boolean;
  finishing: boolean;
  startedTs: number | null;
  endedTs: number | null;
  plan: Plan | null;
  planId: string;
  approved: boolean;
}

export interface Gate {
  stageId: StageId;
  gateId: string;
  plan: Plan;
  summary: string;
  nextActions: string[];
  /** Stages that ran before and will run again because of this plan. */
  reruns: StageId[];
  keeps: StageId[];
  seq: number;
}

export interface ChatLine {
  seq: number;
  ts: number;
  source: string;
  text: string;
  by?: Person;
}

export interface LogLine {
  seq: number;
  ts: number;
  runId: string;
  level: string;
  text: string;
}

/** Something that a person did. */
export interface HistoryEntry {
  seq: number;
  ts: number;
  kind: 'confirmed' | 'changed' | 'restarted' | 'cancelled' | 'finishing' | 'attached';
  stageId: StageId;
  by: Person | null;
  text: string;
  plan?: Plan;
  patch?: Json[];
}

export interface Dataset {
  id: string;
  name: string;
  source: string;
  desc: string;
  meta: Record<string, Json>;
}

export interface ModelCandidate {
  id: string;
  name: string;
  family: string;
  why: string;
  requirements: string[];
  cost_s: number | null;
  params: Record<string, Json>;
}

export interface Resources {
  ts: number;
  cpuPct: number;
  ramMb: number;
  gpuPct: number | null;
  vramMb: number | null;
  stepPerSec: number | null;
}

export interface Run {
  runId: string;
  modelId: string;
  metric: string;
  config: Record<string, Json>;
  status: 'running' | 'success' | 'failed' | 'cancelled';
  reason: string;
  phase: string;
  pct: number;
  etaS: number | null;
  epoch: number;
  epochs: number;
  startedTs: number;
  endedTs: number | null;
  attempt: number;
  /** Order of appearance, from which a colour follows. */
  order: number;
  /** `metric/split` -> curve. */
  series: Map<string, Series>;
  final: { name: string; split: string; value: number | null }[];
  resources: Resources | null;
}

export interface LeaderboardRow {
  run_id: string;
  model: string;
  params: Record<string, Json>;
  metric: number | null;
  runtime_s: number;
  status: string;
  reason?: string;
}

export interface Figure {
  url: string;
  dataUrl: string | null;
}

/** What was measured of a model beside its curve. */
export interface Evaluation {
  runId: string;
  taskType: string;
  split: string;
  metrics: Record<string, number | null>;
  figures: Map<FigureKind, Figure>;
  done: boolean;
  seq: number;
}

export type FigureKind = 'confusion' | 'roc' | 'precision_recall' | 'residuals' | 'importance' | 'shap';

export interface Artifact {
  id: string;
  type: string;
  name: string;
  url: string;
  meta: Record<string, Json>;
}

export interface Bundle {
  url: string;
  contents: string[];
  checksum: string;
  ts: number;
}

/** Something that a person should hear of once; only of what happens while they look. */
export type Moment =
  | { kind: 'stage'; stageId: StageId; status: StageStatus; message: string }
  | { kind: 'gate'; stageId: StageId; summary: string; gateId: string }
  | { kind: 'failed'; stageId: StageId; message: string }
  | { kind: 'finished' }
  | { kind: 'answer'; text: string }
  | { kind: 'best'; runId: string; modelId: string; metric: string; value: number | null };

const FIGURES: Record<string, FigureKind> = {
  CONFUSION_MATRIX_READY: 'confusion',
  ROC_CURVE_READY: 'roc',
  PRECISION_RECALL_CURVE_READY: 'precision_recall',
  RESIDUALS_PLOT_READY: 'residuals',
  FEATURE_IMPORTANCE_READY: 'importance',
  SHAP_EXPLANATIONS_READY: 'shap'
};

export type Schedule = (callback: () => void) => void;

export class ProjectModel {
  readonly projectId: string;

  connection: ConnectionStatus = 'connecting';
  detail: StatusDetail = {};
  serverVersion = '';
  user: Person | null = null;
  limits: Record<string, Json> = {};
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

  /** The last problem that belongs to no control of the view. */
  problem: { code: string; message: string; at: number } | null = null;

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

  /**
   * How far the stage that runs is, from 0 to 1; null where that is not known. Of training it is the share of its time
   * budget, for that is what ends it.
   */
  stageProgress(now: number): number | null {
    if (this.stage.status !== 'IN_PROGRESS') {
      return null;
    }
    if (this.current === 'TRAIN') {
      const budget = this.stages.MODEL_SELECT.plan?.time_budget_s;
      if (typeof budget === 'number' && this.stage.startedTs !== null) {
        return Math.max(0, Math.min(1, (now - this.stage.startedTs) / 1000 / budget));
      }
      return null;
    }
    return this.progress?.pct ?? null;
  }

  /** The stages that run again when this one is restarted: itself, what depends on it and has run, and the rest behind. */
  rerunsOf(stageId: StageId): StageId[] {
    const later = dependents(stageId);
    return STAGES.filter(
      id => id === stageId || (later.includes(id) && (this.stages[id].attempt > 0 || this.stages[id].plan !== null))
    );
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
    this.changed(true);
  }

  /** Note a problem, or that it was read (null). */
  report(problem: { code: string; message: string } | null): void {
    this.problem = problem && { ...problem, at: Date.now() };
    this.changed(true);
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
      fold(this, payload, frame.ts, frame.seq);
    }
    const caughtUp = !this.ready && this.seq >= this.head;
    this.ready ||= caughtUp;
    this.changed(caughtUp || !LIGHT.has(name));
  }

  private hello(payload: Json): void {
    if (this.epoch !== null && payload.epoch !== this.epoch) {
      this.forget();
    }
    this.epoch = payload.epoch ?? null;
    this.serverVersion = String(payload.server_version ?? '');
    this.user = payload.user ?? null;
    this.limits = payload.limits ?? {};
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
    this.boundRuns();
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
    if (this.points > MAX_TOTAL_POINTS) {
      this.boundPoints();
    }
  }

  /** Old runs that are no longer shown are forgotten, oldest first. */
  private boundRuns(): void {
    if (this.runs.size <= MAX_RUNS) {
      return;
    }
    const board = new Set(this.leaderboard.map(row => row.run_id));
    for (const run of this.runs.values()) {
      if (this.runs.size <= MAX_RUNS) {
        break;
      }
      if (run.status !== 'running' && !board.has(run.runId)) {
        this.dropPoints(run);
        this.runs.delete(run.runId);
        this.shown.delete(run.runId);
      }
    }
    for (const run of this.runs.values()) {
      if (this.runs.size <= MAX_RUNS) {
        break;
      }
      if (run.status !== 'running' && run.runId !== this.bestRun) {
        this.dropPoints(run);
        this.runs.delete(run.runId);
        this.shown.delete(run.runId);
      }
    }
  }

  private boundPoints(): void {
    let points = 0;
    const board = new Set(this.leaderboard.map(row => row.run_id));
    for (const run of this.runs.values()) {
      if (run.status !== 'running' && !this.shown.has(run.runId) && !board.has(run.runId)) {
        run.series.clear();
      }
      for (const series of run.series.values()) {
        if (run.status !== 'running') {
          series.shrink(THINNED);
        }
        points += series.length;
      }
    }
    if (points > MAX_TOTAL_POINTS / 2) {
      points = 0;
      for (const run of this.runs.values()) {
        for (const series of run.series.values()) {
          series.shrink(THINNED);
          points += series.length;
        }
      }
    }
    this.points = points;
  }

  private dropPoints(run: Run): void {
    for (const series of run.series.values()) {
      this.points -= series.length;
    }
    run.series.clear();
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
          startedTs: null,
          endedTs: null,
          plan: null,
          planId: '',
          approved: false
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
    this.points = 0;
    this.runOrder = 0;
  }
}

function trim(list: unknown[], most: number): void {
  if (list.length > most * 1.25) {
    list.splice(0, list.length - most);
  }
}

function bound<K>(map: Map<K, unknown>, most: number): void {
  while (map.size > most) {
    map.delete(map.keys().next().value as K);
  }
}

/** Events after which only numbers differ, not what there is to see. */
const LIGHT = new Set([
  'TRAIN_PROGRESS',
  'METRIC_SCALAR',
  'RESOURCE_STATS',
  'GD_DIAGNOSTIC',
  'PROFILE_PROGRESS',
  'EXPORT_PROGRESS'
]);

type Fold = (model: ProjectModel, payload: Json, ts: number, seq: number) => void;

const FOLDS: Record<string, Fold> = {
  STAGE_STATUS: (m, p, ts, seq) => {
    const stage = m.stages[p.stage_id as StageId];
    if (!stage) {
      return;
    }
    const status = p.status as StageStatus;
    const by: Person | null = p.by ?? null;
    const before = stage.status;
    stage.status = status;
    stage.message = p.message ?? '';
    if (status === 'PENDING') {
      Object.assign(stage, { attempt: 0, reused: false, finishing: false, startedTs: null, endedTs: null });
      stage.approved = false;
      m.setBack(stage.id);
    } else {
      m.current = stage.id;
    }
    if (status === 'IN_PROGRESS') {
      const finishing = p.finishing === true;
      const again = finishing && p.attempt === stage.attempt;
      if (!again) {
        stage.startedTs = ts;
        stage.reused = p.reused === true;
        if (stage.id === 'TRAIN') {
          m.newTraining();
        }
      }
      if (before !== 'PENDING' && before !== 'IN_PROGRESS' && !stage.reused) {
        // Whoever had it work again withdrew the plan of the gate that was open, if one was.
        const who = rejections.get(m);
        const known = who && seq - who.seq <= STAGES.length ? who.by : by;
        m.remember({ seq, ts, kind: 'restarted', stageId: stage.id, by: known, text: stage.message });
      }
      if (finishing && by) {
        m.remember({ seq, ts, kind: 'finishing', stageId: stage.id, by, text: stage.message });
      }
      stage.finishing = finishing;
      stage.attempt = p.attempt ?? stage.attempt;
      stage.endedTs = null;
      stage.approved = false;
      m.gate = null;
      m.progress = null;
      m.bundle = null;
    } else if (status !== 'PENDING') {
      stage.endedTs = stage.endedTs ?? ts;
      stage.finishing = false;
      if (m.gate?.stageId === stage.id) {
        m.gate = null;
      }
      if (status === 'FAILED' && by) {
        m.remember({ seq, ts, kind: 'cancelled', stageId: stage.id, by, text: stage.message });
      }
    }
    if (status === 'FAILED') {
      m.say({ kind: 'failed', stageId: stage.id, message: stage.message });
    } else if (stage.id === 'EXPORT' && status === 'COMPLETED') {
      m.say({ kind: 'finished' });
    } else if (status !== 'PENDING') {
      m.say({ kind: 'stage', stageId: stage.id, status, message: stage.message });
    }
  },
  PLAN_PROPOSED: (m, p, ts, seq) => {
    const stage = m.stages[p.stage_id as StageId];
    stage.plan = p.plan_json;
    stage.planId = p.plan_id;
    stage.approved = false;
    proposals.set(stage, { reruns: p.reruns ?? [], keeps: p.keeps ?? [] });
    if (p.by) {
      m.remember({ seq, ts, kind: 'changed', stageId: stage.id, by: p.by, text: '', patch: p.patch ?? [] });
    }
  },
  WAITING_CONFIRMATION: (m, p, _ts, seq) => {
    const stage = m.stages[p.stage_id as StageId];
    const proposal = proposals.get(stage);
    m.gate = {
      stageId: stage.id,
      gateId: p.gate_id,
      plan: stage.plan ?? {},
      summary: p.summary ?? '',
      nextActions: p.next_actions ?? [],
      reruns: proposal?.reruns ?? [],
      keeps: proposal?.keeps ?? [],
      seq
    };
    m.say({ kind: 'gate', stageId: stage.id, summary: m.gate.summary, gateId: p.gate_id });
  },
  PLAN_APPROVED: (m, p, ts, seq) => {
    const stage = m.stages[p.stage_id as StageId];
    stage.approved = true;
    m.gate = null;
    m.remember({
      seq,
      ts,
      kind: 'confirmed',
      stageId: stage.id,
      by: p.by ?? null,
      text: '',
      plan: stage.plan ?? undefined
    });
  },
  PLAN_REJECTED: (m, p, _ts, seq) => {
    m.gate = null;
    rejections.set(m, { seq, by: p.by ?? null });
  },
  LOG_LINE: (m, p, ts, seq) => {
    if (p.run_id === 'chat') {
      m.chat.push({ seq, ts, source: p.source, text: String(p.text), by: p.by });
      trim(m.chat, MAX_CHAT);
      if (p.source === 'assistant') {
        m.say({ kind: 'answer', text: String(p.text) });
      }
      return;
    }
    if (p.source === 'data' && p.by) {
      m.remember({ seq, ts, kind: 'attached', stageId: 'DATA_SOURCE', by: p.by, text: String(p.text) });
    }
    if (p.level !== 'debug') {
      m.log.push({ seq, ts, runId: p.run_id, level: p.level, text: String(p.text) });
      trim(m.log, MAX_LOG);
    }
  },
  FILE_TREE_UPDATE: (m, p) => {
    for (const file of p.files ?? []) {
      m.files.delete(file.path);
      m.files.set(file.path, { path: file.path, size: file.size });
    }
    bound(m.files, MAX_FILES);
  },
  ARTIFACT_ADDED: (m, p) => {
    m.artifacts.delete(p.artifact.id);
    m.artifacts.set(p.artifact.id, p.artifact);
    bound(m.artifacts, MAX_FILES);
  },
  PROMPT_PARSED: (m, p) => {
    m.parsed = p;
  },
  DATASET_CANDIDATES: (m, p) => {
    m.datasets = p.datasets ?? [];
  },
  DATASET_SELECTED: (m, p) => {
    m.datasetId = p.dataset_id;
  },
  DATASET_SAMPLE_READY: (m, p) => {
    m.columns = p.columns ?? [];
    m.sample = { url: p.asset_url, rows: p.n_rows };
  },
  PROFILE_PROGRESS: (m, p) => {
    m.progress = { text: p.phase, pct: p.pct };
  },
  PROFILE_SUMMARY: (m, p) => {
    m.profile = {
      rows: p.n_rows,
      cols: p.n_cols,
      missing: p.missing_pct,
      types: p.types_breakdown ?? {},
      warnings: p.warnings ?? []
    };
  },
  MISSINGNESS_TABLE_READY: (m, p) => {
    m.missingnessUrl = p.asset_url;
  },
  TARGET_DISTRIBUTION_READY: (m, p) => {
    m.distributionUrl = p.asset_url;
  },
  SPLIT_SUMMARY: (m, p) => {
    m.split = {
      train: p.train_rows,
      val: p.val_rows,
      test: p.test_rows,
      stratified: p.stratified,
      seed: p.seed
    };
  },
  PREPROCESS_PLAN: (m, p) => {
    m.steps = p.steps ?? [];
  },
  MODEL_CANDIDATES: (m, p) => {
    m.models = p.models ?? [];
  },
  TRAIN_RUN_STARTED: (m, p, ts) => m.addRun(p, ts),
  TRAIN_PROGRESS: (m, p) => {
    const run = m.runs.get(p.run_id);
    if (run) {
      run.phase = p.phase;
      run.pct = p.pct;
      run.etaS = p.eta_s;
      run.epoch = p.epoch;
      run.epochs = p.epochs;
    }
  },
  METRIC_SCALAR: (m, p) => {
    const run = m.runs.get(p.run_id);
    if (run) {
      m.addPoint(run, p.name, p.split, p.step, p.value);
    }
  },
  LEADERBOARD_UPDATED: (m, p) => {
    m.leaderboard = p.rows ?? [];
  },
  BEST_MODEL_UPDATED: (m, p) => {
    m.best = { runId: p.run_id, modelId: p.model_id, metric: p.metric };
    m.say({ kind: 'best', runId: p.run_id, modelId: p.model_id, metric: p.metric.name, value: p.metric.value });
  },
  RESOURCE_STATS: (m, p, ts) => {
    m.resources = {
      ts,
      cpuPct: p.cpu_pct,
      ramMb: p.ram_mb,
      gpuPct: p.gpu_pct ?? null,
      vramMb: p.vram_mb ?? null,
      stepPerSec: p.step_per_sec ?? null
    };
    const run = m.runs.get(p.run_id);
    if (run) {
      run.resources = m.resources;
    }
  },
  TRAIN_RUN_FINISHED: (m, p, ts) => {
    const run = m.runs.get(p.run_id);
    if (run) {
      run.status = p.status;
      run.reason = p.reason ?? '';
      run.pct = p.status === 'success' ? 1 : run.pct;
      run.etaS = null;
      run.endedTs = ts;
      run.final = p.final_metrics?.metrics ?? [];
    }
  },
  EVALUATION_STARTED: (m, p, _ts, seq) => {
    evaluation(m, p.run_id, seq).taskType = p.task_type;
  },
  CLASSIFICATION_METRICS_READY: (m, p, _ts, seq) => metrics(m, p, seq),
  REGRESSION_METRICS_READY: (m, p, _ts, seq) => metrics(m, p, seq),
  EVALUATION_COMPLETE: (m, p, _ts, seq) => {
    const found = evaluation(m, p.run_id, seq);
    found.taskType = p.task_type;
    found.done = true;
  },
  REPORT_READY: (m, p) => {
    m.reportUrl = p.asset_url;
  },
  NOTEBOOK_READY: (m, p) => {
    m.notebookUrl = p.asset_url;
  },
  CODE_WORKSPACE_READY: (m, p) => {
    m.code = (p.files ?? []).map((file: Json) => ({ path: file.path, size: file.size }));
  },
  EDIT_SUGGESTIONS: (m, p) => {
    m.suggestions = p.suggestions ?? [];
  },
  EXPORT_PROGRESS: (m, p) => {
    m.progress = { text: p.message, pct: p.pct };
  },
  EXPORT_READY: (m, p, ts) => {
    m.bundle = { url: p.asset_url, contents: p.contents ?? [], checksum: p.checksum, ts };
  }
};

for (const [name, kind] of Object.entries(FIGURES)) {
  FOLDS[name] = (m, p, _ts, seq) => {
    evaluation(m, p.run_id, seq).figures.set(kind, { url: p.asset_url, dataUrl: p.data_url ?? null });
  };
}

/** Who withdrew a plan last. */
const rejections = new WeakMap<ProjectModel, { seq: number; by: Person | null }>();

/** What a stage's last proposal said beside its plan. */
const proposals = new WeakMap<Stage, { reruns: StageId[]; keeps: StageId[] }>();

function evaluation(m: ProjectModel, runId: string, seq: number): Evaluation {
  let found = m.evaluations.get(runId);
  if (!found) {
    found = { runId, taskType: '', split: 'val', metrics: {}, figures: new Map(), done: false, seq };
    m.evaluations.set(runId, found);
    bound(m.evaluations, MAX_RUNS);
  }
  return found;
}

function metrics(m: ProjectModel, p: Json, seq: number): void {
  const found = evaluation(m, p.run_id, seq);
  const { run_id: _run, split, ...values } = p;
  found.split = split ?? found.split;
  found.metrics = values;
}
