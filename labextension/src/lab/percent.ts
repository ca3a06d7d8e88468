/** How far the stage that runs is. */

import type { Connection } from '../client';
import { ProjectModel, StageId } from '../view';
import type { Server } from './server';

/** From 0 to 1; null where that is not known. */
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

/** Events that say how far a stage is; curves, logs and conversation are left out. */
const NAMES = [
  'STAGE_STATUS',
  'PLAN_PROPOSED',
  'PROFILE_PROGRESS',
  'TRAIN_RUN_STARTED',
  'TRAIN_PROGRESS',
  'TRAIN_RUN_FINISHED',
  'EXPORT_PROGRESS'
];
const EVERY_MS = 500;

/** Listens to one project that runs and that no view shows. */
export class Progress {
  private project: string | null = null;
  private model: ProjectModel | null = null;
  private connection: Connection | null = null;

  constructor(
    private readonly server: Server,
    private readonly changed: () => void
  ) {}

  /** Listen to this project; null: to none. */
  follow(project: string | null): void {
    if (project === this.project) {
      return;
    }
    this.project = project;
    this.connection?.close();
    this.connection = this.model = null;
    if (project === null) {
      return;
    }
    const model = new ProjectModel(project, callback => setTimeout(callback, EVERY_MS));
    model.subscribe(() => this.model === model && this.changed());
    this.model = model;
    // What people send and what waits to be sent is the views' own.
    this.connection = this.server.connect(project, { onEvent: event => model.apply(event) }, { storage: null });
    this.connection.send({ type: 'subscribe', names: NAMES, coalesce: true });
  }

  /** How far this stage is, as far as it was heard. */
  of(stage: StageId): number | null {
    return this.model?.current === stage ? percentOf(this.model) : null;
  }
}
