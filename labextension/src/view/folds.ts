/** How each event of the log changes the model: the fold, one function for each name. */

import { bound, MAX_ARTIFACTS, MAX_CHAT, MAX_LOG, MAX_RUNS, trim } from './bounds';
import type { ProjectModel } from './model';
import { changesOf } from './patch';
import type { Evaluation, FigureKind, Json, Person } from './records';
import { STAGES, StageId, StageStatus } from './stages';

const FIGURES: Record<string, FigureKind> = {
  CONFUSION_MATRIX_READY: 'confusion',
  ROC_CURVE_READY: 'roc',
  PRECISION_RECALL_CURVE_READY: 'precision_recall',
  RESIDUALS_PLOT_READY: 'residuals',
  FEATURE_IMPORTANCE_READY: 'importance',
  SHAP_EXPLANATIONS_READY: 'shap'
};

/** Events after which only numbers differ, not what there is to see. */
export const LIGHT = new Set([
  'TRAIN_PROGRESS',
  'METRIC_SCALAR',
  'RESOURCE_STATS',
  'GD_DIAGNOSTIC',
  'PROFILE_PROGRESS',
  'EXPORT_PROGRESS'
]);

type Fold = (model: ProjectModel, payload: Json, ts: number, seq: number) => void;

export const FOLDS: Record<string, Fold> = {
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
    stage.endedBy = status === 'FAILED' ? by : null;
    if (status === 'PENDING') {
      m.setBack(stage.id, stage.attempt);
      Object.assign(stage, { attempt: 0, reused: false, finishing: false, startedTs: null, endedTs: null });
      stage.lastRun = stage.approved = false;
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
          // Where the attempt before it was interrupted, and nobody asked for another one, what was finished is used again.
          m.newTraining(before === 'IN_PROGRESS' && !by);
        }
      }
      const began = before !== 'PENDING' && before !== 'IN_PROGRESS' && !stage.reused;
      if (!finishing && (by || began)) {
        // Logs from before restarts named somebody: whoever withdrew the plan of the gate that was open, if one was.
        const who = m.rejected;
        const known = by ?? (who && seq - who.seq <= STAGES.length ? who.by : null);
        const patch = changesOf(stage.plan ?? {}, p.params ?? {});
        m.remember({ seq, ts, kind: 'restarted', stageId: stage.id, by: known, text: stage.message, patch });
      }
      if (finishing && by) {
        m.remember({ seq, ts, kind: 'finishing', stageId: stage.id, by, text: stage.message });
      }
      stage.finishing = finishing;
      stage.lastRun = p.last_run === true;
      stage.attempt = p.attempt ?? stage.attempt;
      if (stage.reused) {
        m.bringBack(stage.attempt);
      }
      stage.endedTs = null;
      stage.approved = false;
      m.gate = null;
      m.progress = null;
      m.doing = '';
      m.bundle = null;
    } else if (status !== 'PENDING') {
      stage.endedTs = stage.endedTs ?? ts;
      stage.finishing = stage.lastRun = false;
      if (m.gate?.stageId === stage.id) {
        m.gate = null;
      }
      if (status === 'FAILED' && by) {
        m.remember({ seq, ts, kind: 'cancelled', stageId: stage.id, by, text: stage.message });
      }
    }
    if (status === 'FAILED') {
      m.say({ kind: 'failed', stageId: stage.id, message: stage.message, by: stage.endedBy });
    } else if (stage.id === 'EXPORT' && status === 'COMPLETED') {
      m.say({ kind: 'finished' });
    } else if (status !== 'PENDING') {
      m.say({ kind: 'stage', stageId: stage.id, status, message: stage.message });
    }
  },
  PLAN_PROPOSED: (m, p, ts, seq) => {
    const stage = m.stages[p.stage_id as StageId];
    stage.plan = p.plan_json;
    stage.planId = p.plan_id ?? '';
    stage.approved = false;
    stage.reruns = p.reruns ?? [];
    if (p.by) {
      m.remember({ seq, ts, kind: 'changed', stageId: stage.id, by: p.by, text: '', patch: p.patch ?? [] });
    }
  },
  WAITING_CONFIRMATION: (m, p) => {
    const stage = m.stages[p.stage_id as StageId];
    m.gate = {
      stageId: stage.id,
      gateId: p.gate_id,
      plan: stage.plan ?? {},
      summary: p.summary ?? '',
      reruns: stage.reruns
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
    m.rejected = { seq, by: p.by ?? null };
  },
  LOG_LINE: (m, p, ts, seq) => {
    if (p.run_id === 'chat') {
      m.chat.push({ seq, ts, source: p.source, text: String(p.text), by: p.by });
      trim(m.chat, MAX_CHAT);
      for (const [id, text] of m.unheard) {
        if (p.source === 'user' && text === p.text) {
          m.unheard.delete(id);
          break;
        }
      }
      if (p.source === 'assistant') {
        m.say({ kind: 'answer', text: String(p.text) });
      }
      return;
    }
    if (p.source === 'data' && p.by) {
      m.remember({ seq, ts, kind: 'attached', stageId: 'DATA_SOURCE', by: p.by, text: String(p.text) });
    }
    if (p.level !== 'debug') {
      m.doing = String(p.text);
      m.log.push({ seq, ts, runId: p.run_id, level: p.level, text: String(p.text) });
      trim(m.log, MAX_LOG);
    }
  },
  ARTIFACT_ADDED: (m, p) => {
    m.artifacts.delete(p.artifact.id);
    m.artifacts.set(p.artifact.id, p.artifact);
    bound(m.artifacts, MAX_ARTIFACTS);
  },
  DATASET_CANDIDATES: (m, p) => {
    m.datasets = p.datasets ?? [];
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
  RESOURCE_STATS: (m, p) => {
    m.resources = {
      cpuPct: p.cpu_pct,
      ramMb: p.ram_mb,
      gpuPct: p.gpu_pct ?? null,
      vramMb: p.vram_mb ?? null,
      stepPerSec: p.step_per_sec ?? null
    };
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
  CLASSIFICATION_METRICS_READY: metrics,
  REGRESSION_METRICS_READY: metrics,
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
  EXPORT_READY: (m, p) => {
    m.bundle = { url: p.asset_url, contents: p.contents ?? [], checksum: p.checksum };
  }
};

for (const [name, kind] of Object.entries(FIGURES)) {
  FOLDS[name] = (m, p) => {
    evaluation(m, p.run_id).figures.set(kind, { url: p.asset_url, dataUrl: p.data_url ?? null });
  };
}

function evaluation(m: ProjectModel, runId: string): Evaluation {
  let found = m.evaluations.get(runId);
  if (!found) {
    found = { runId, split: 'val', metrics: {}, figures: new Map() };
    m.evaluations.set(runId, found);
    bound(m.evaluations, MAX_RUNS);
  }
  return found;
}

function metrics(m: ProjectModel, p: Json): void {
  const found = evaluation(m, p.run_id);
  const { run_id: _run, split, ...values } = p;
  found.split = split ?? found.split;
  found.metrics = values;
}
