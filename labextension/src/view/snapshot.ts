/** What the server says of a project as it stands, as facts: shown, and what is new folded into it, while a long log, which says more, is still being read. */

import type { Snapshot } from '../protocol/types';
import { Facts } from './facts';
import type { Run } from './records';

export function factsOf(state: Snapshot): Facts {
  const facts = new Facts();
  for (const told of state.stages) {
    Object.assign(facts.stages[told.id], {
      status: told.status,
      message: told.message,
      attempt: told.attempt,
      reused: told.reused,
      endedBy: told.ended_by ?? null,
      startedTs: told.started_ts,
      endedTs: told.ended_ts,
      plan: told.plan_json,
      planId: told.plan_id,
      approved: told.approved
    });
  }
  facts.current = state.current_stage;
  const waiting = state.waiting_confirmation;
  facts.gate = waiting && {
    stageId: waiting.stage_id,
    gateId: waiting.gate_id,
    plan: facts.stages[waiting.stage_id].plan ?? {},
    summary: waiting.summary,
    reruns: []
  };
  facts.history = state.decisions.map(({ seq, ts, stage_id, by, plan }) => ({
    seq,
    ts,
    kind: 'confirmed' as const,
    stageId: stage_id,
    by,
    text: '',
    plan
  }));
  facts.datasets = state.datasets;
  facts.columns = state.columns;
  facts.models = state.models;
  facts.artifacts = new Map(state.artifacts.map(artifact => [artifact.id, artifact]));
  for (const run of state.runs) {
    facts.runs.set(run.run_id, {
      runId: run.run_id,
      modelId: run.model_id,
      metric: run.metric_primary,
      config: run.config,
      status: run.status as Run['status'],
      reason: run.reason ?? '',
      phase: 'init',
      pct: run.status === 'success' ? 1 : 0,
      etaS: null,
      startedTs: run.started_ts,
      endedTs: run.finished_ts,
      series: new Map(),
      final: run.final_metrics?.metrics ?? []
    });
    if (run.attempt === facts.stages.TRAIN.attempt) {
      facts.shown.add(run.run_id);
    }
  }
  facts.leaderboard = state.leaderboard;
  const best = state.best_model;
  facts.best = best && { runId: best.run_id, modelId: best.model_id, metric: best.metric };
  const bundle = state.export;
  facts.bundle = bundle && { url: bundle.asset_url, contents: bundle.contents, checksum: bundle.checksum };
  return facts;
}
