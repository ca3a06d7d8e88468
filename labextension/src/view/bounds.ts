/** Everything that grows has a bound: a view may be open for days. */

import type { ProjectModel } from './model';
import type { Run } from './records';

export const MAX_CHAT = 300;
export const MAX_LOG = 400;
export const MAX_HISTORY = 300;
export const MAX_ARTIFACTS = 500;
export const MAX_RUNS = 400;
export const MAX_EARLIER = 50;
/** Points of all curves together; above it the curves of finished runs are thinned. */
export const MAX_TOTAL_POINTS = 1_500_000;
const THINNED = 256;

export function trim(list: unknown[], most: number): void {
  if (list.length > most * 1.25) {
    list.splice(0, list.length - most);
  }
}

export function bound<K>(map: Map<K, unknown>, most: number): void {
  while (map.size > most) {
    map.delete(map.keys().next().value as K);
  }
}

/** Old runs that are no longer shown are forgotten, oldest first; then those that are, but for what runs and the best. */
export function boundRuns(model: ProjectModel): void {
  if (model.runs.size <= MAX_RUNS) {
    return;
  }
  const board = new Set(model.leaderboard.map(row => row.run_id));
  const best = model.bestRun;
  for (const spared of [(run: Run) => board.has(run.runId), (run: Run) => run.runId === best]) {
    for (const run of model.runs.values()) {
      if (model.runs.size <= MAX_RUNS) {
        return;
      }
      if (run.status !== 'running' && !spared(run)) {
        for (const series of run.series.values()) {
          model.points -= series.length;
        }
        model.runs.delete(run.runId);
        model.shown.delete(run.runId);
      }
    }
  }
}

/** Too many points: curves that are not shown go, those of finished runs are thinned, at the last those that grow too. */
export function boundPoints(model: ProjectModel): void {
  if (model.points <= MAX_TOTAL_POINTS) {
    return;
  }
  const board = new Set(model.leaderboard.map(row => row.run_id));
  for (const run of model.runs.values()) {
    if (run.status === 'running') {
      continue;
    }
    if (!model.shown.has(run.runId) && !board.has(run.runId)) {
      run.series.clear();
    }
    for (const series of run.series.values()) {
      series.shrink(THINNED);
    }
  }
  if (counted(model) > MAX_TOTAL_POINTS / 2) {
    for (const run of model.runs.values()) {
      for (const series of run.series.values()) {
        series.shrink(THINNED);
      }
    }
  }
  model.points = counted(model);
}

function counted(model: ProjectModel): number {
  let points = 0;
  for (const run of model.runs.values()) {
    for (const series of run.series.values()) {
      points += series.length;
    }
  }
  return points;
}
