/** What the events of a project say so far, and what follows from that. The fold (`folds.ts`) changes it. */

import { bound, MAX_EARLIER } from './bounds';
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
  Person,
  Resources,
  Run,
  Stage
} from './records';
import { STAGES, StageId, stageIndex } from './stages';

/** As long as there is no event, nothing is known. Everything that grows has a bound (`bounds.ts`). */
export class Facts {
  /** The newest event that is folded. */
  seq = 0;
  stages = Object.fromEntries(STAGES.map(id => [id, pending(id)])) as unknown as Record<StageId, Stage>;
  current: StageId = 'PARSE_INTENT';
  gate: Gate | null = null;
  history: HistoryEntry[] = [];
  chat: ChatLine[] = [];
  log: LogLine[] = [];
  datasets: Dataset[] = [];
  columns: string[] = [];
  sample: { url: string; rows: number } | null = null;
  profile: { rows: number; cols: number; missing: number; types: Record<string, number>; warnings: string[] } | null = null;
  distributionUrl: string | null = null;
  split: { train: number; val: number; test: number; stratified: boolean; seed: number } | null = null;
  steps: Record<string, Json>[] = [];
  models: ModelCandidate[] = [];
  runs = new Map<string, Run>();
  /** Runs of the training that is shown. */
  shown = new Set<string>();
  leaderboard: LeaderboardRow[] = [];
  best: { runId: string; modelId: string; metric: { name: string; split: string; value: number | null } } | null = null;
  resources: Resources | null = null;
  progress: { text: string; pct: number } | null = null;
  /** What the stage at work said last. */
  doing = '';
  evaluations = new Map<string, Evaluation>();
  reportUrl: string | null = null;
  notebookUrl: string | null = null;
  code: { path: string; size: number }[] = [];
  artifacts = new Map<string, Artifact>();
  suggestions: { title: string; why: string; chat: string }[] = [];
  bundle: Bundle | null = null;
  /** Points of all curves together. */
  points = 0;
  /** @internal What attempts at stages came to that were set back: an earlier result may serve again. */
  earlier = new Map<number, Result>();
  /** @internal Who withdrew a plan last. */
  rejected: { seq: number; by: Person | null } | null = null;

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

  /** @internal A new training: what the last one showed is no longer shown, unless it takes up what was finished. */
  newTraining(takenUp = false): void {
    this.shown = new Set();
    this.leaderboard = takenUp ? this.leaderboard.filter(row => row.status === 'success') : [];
    this.best = this.leaderboard.some(row => row.run_id === this.best?.runId) ? this.best : null;
    this.resources = null;
  }

  /** @internal What a stage said is void once it is set back, unless its result serves again. */
  setBack(stageId: StageId, attempt: number): void {
    const result: Result = {};
    switch (stageId) {
      case 'PROFILE_DATA':
        Object.assign(result, { profile: this.profile, distributionUrl: this.distributionUrl });
        this.profile = null;
        this.distributionUrl = null;
        break;
      case 'PREPROCESS':
        Object.assign(result, { split: this.split, steps: this.steps });
        this.split = null;
        this.steps = [];
        break;
      case 'TRAIN':
        this.newTraining();
        break;
      case 'REVIEW_EDIT':
        result.evaluations = new Map([...this.evaluations].filter(([, e]) => e.split === 'test'));
        Object.assign(result, {
          reportUrl: this.reportUrl,
          notebookUrl: this.notebookUrl,
          suggestions: this.suggestions
        });
        this.reportUrl = null;
        this.notebookUrl = null;
        this.suggestions = [];
        for (const runId of result.evaluations.keys()) {
          this.evaluations.delete(runId);
        }
        break;
      case 'EXPORT':
        this.bundle = null;
        break;
    }
    if (attempt > 0) {
      this.earlier.set(attempt, result);
      bound(this.earlier, MAX_EARLIER);
    }
  }

  /** @internal An earlier result of a stage serves again. */
  bringBack(attempt: number): void {
    const { evaluations, ...result } = this.earlier.get(attempt) ?? {};
    Object.assign(this, result);
    for (const [runId, evaluation] of evaluations ?? []) {
      this.evaluations.set(runId, evaluation);
    }
  }
}

/** What a stage said that is void once it is set back. */
type Result = Partial<
  Pick<
    Facts,
    'profile' | 'distributionUrl' | 'split' | 'steps' | 'reportUrl' | 'notebookUrl' | 'suggestions' | 'evaluations'
  >
>;

/** The facts among all that an object has. */
export function factsIn(whole: Facts): Facts {
  return Object.assign(new Facts(), Object.fromEntries(Object.keys(new Facts()).map(key => [key, whole[key as keyof Facts]])));
}

function pending(id: StageId): Stage {
  return {
    id,
    status: 'PENDING',
    message: '',
    attempt: 0,
    reused: false,
    finishing: false,
    lastRun: false,
    endedBy: null,
    startedTs: null,
    endedTs: null,
    plan: null,
    planId: '',
    approved: false,
    reruns: []
  };
}
