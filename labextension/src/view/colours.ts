/** Colours of models: the same in chart and table, and apart for people who do not see all colours. */

import type { ProjectModel } from './model';

/** How many colours there are; `--jppl-series-N` in the style sheet. */
export const COLOURS = 7;

/** Which of the colours a model has; -1 is the baseline's grey. */
export function colourIndex(model: ProjectModel, modelId: string): number {
  if (modelId === 'dummy') {
    return -1;
  }
  const planned: string[] = (model.stages.MODEL_SELECT.plan?.models ?? []).map((m: { id: string }) => m.id);
  const known = [...planned, ...model.models.map(m => m.id).filter(id => !planned.includes(id))].filter(
    id => id !== 'dummy'
  );
  let place = known.indexOf(modelId);
  if (place < 0) {
    const seen = new Set<string>();
    for (const run of model.runs.values()) {
      seen.add(run.modelId);
    }
    place = [...seen].filter(id => id !== 'dummy').indexOf(modelId);
  }
  return Math.max(0, place) % COLOURS;
}

export function colourVariable(index: number): string {
  return index < 0 ? '--jppl-series-baseline' : `--jppl-series-${index}`;
}

export function colourOf(model: ProjectModel, modelId: string): string {
  return `var(${colourVariable(colourIndex(model, modelId))})`;
}
