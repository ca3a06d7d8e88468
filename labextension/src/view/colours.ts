/** Colours of models: the same in chart and table, and apart for people who do not see all colours. */

import type { ProjectModel } from './model';

/** How many colours the models take in turn; `--jppl-series-N` in the style sheet. */
const COLOURS = 7;

/** What is no model like the others: grey for the baseline, and for what is made of all the others the text's black or white. */
const OWN: Record<string, string> = {
  dummy: '--jppl-series-baseline',
  ensemble: '--jppl-series-ensemble'
};

/** Name of the CSS variable with the colour of the series at this place. */
export function seriesColour(place: number): string {
  return `--jppl-series-${place % COLOURS}`;
}

/** Name of the CSS variable with a model's colour. */
export function modelColour(model: ProjectModel, modelId: string): string {
  if (OWN[modelId]) {
    return OWN[modelId];
  }
  const planned: { id: string }[] = model.stages.MODEL_SELECT.plan?.models ?? [];
  const known = new Set([...planned, ...model.models].map(m => m.id).filter(id => !OWN[id]));
  if (!known.has(modelId)) {
    model.runs.forEach(run => OWN[run.modelId] || known.add(run.modelId)); // of a training before; there may be hundreds
  }
  return seriesColour(Math.max(0, [...known].indexOf(modelId)));
}
