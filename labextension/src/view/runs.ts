/** What models and their runs are called. */

import { modelName as nameOf } from '../protocol/names';
import type { Translation } from '../translation';
import type { ProjectModel } from './model';

/** What a run is called: its model, and a number where the model has more than one run. */
export function runLabels(model: ProjectModel, trans: Translation): Map<string, string> {
  const runs = model.shownRuns();
  const many = new Map<string, number>();
  for (const run of runs) {
    many.set(run.modelId, (many.get(run.modelId) ?? 0) + 1);
  }
  const seen = new Map<string, number>();
  const labels = new Map<string, string>();
  for (const run of runs) {
    const n = (seen.get(run.modelId) ?? 0) + 1;
    seen.set(run.modelId, n);
    const name = modelName(model, run.modelId, trans);
    labels.set(run.runId, many.get(run.modelId)! > 1 ? `${name} ${n}` : name);
  }
  return labels;
}

/** What a model is called; of one that only the server knows, what it calls it. */
export function modelName(model: ProjectModel, modelId: string, trans: Translation): string {
  return nameOf(modelId, trans, model.models.find(m => m.id === modelId)?.name);
}
