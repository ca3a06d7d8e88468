import type { ProjectModel } from '../view';

/** How far the stage that runs is, from 0 to 1; null where that is not known. */
export function percentOf(model: ProjectModel): number | null {
  if (model.stage.status !== 'IN_PROGRESS') {
    return null;
  }
  if (model.current !== 'TRAIN') {
    return model.progress?.pct ?? null;
  }
  const planned = model.stages.MODEL_SELECT.plan?.models?.length ?? 0;
  const runs = [...model.shown].map(id => model.runs.get(id)).filter(run => run !== undefined);
  const total = Math.max(planned, runs.length);
  const done = runs.reduce((sum, run) => sum + (run.status === 'running' ? run.pct : 1), 0);
  return total ? Math.min(0.99, done / total) : null;
}
