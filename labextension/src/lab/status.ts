/** The status bar: the stage of the project in front, or of the one that was last, and how far it is. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { stageName } from '../view';
import { Commands, NAMESPACE } from './ids';
import { howItStands } from './panel';
import { percentOf, Progress } from './percent';
import { IPipelines } from './tokens';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:status`,
  description: 'The status bar item.',
  autoStart: true,
  requires: [IPipelines],
  optional: [IStatusBar], // Notebook 7 has none
  activate: (app: JupyterFrontEnd, pipelines: IPipelines, statusBar: IStatusBar | null): void => {
    if (statusBar === null) {
      return;
    }
    const item = new StatusItem(pipelines, project => void app.commands.execute(Commands.open, { project }));
    statusBar.registerStatusItem(`${NAMESPACE}:status`, {
      item,
      align: 'left',
      rank: 900,
      isActive: () => item.project !== null,
      activeStateChanged: item.activeChanged
    });
  }
};

class StatusItem extends Widget {
  project: string | null = null;
  readonly activeChanged = new Signal<this, void>(this);
  private readonly button = document.createElement('button');
  private readonly progress: Progress;

  constructor(
    private readonly pipelines: IPipelines,
    open: (project: string) => void
  ) {
    super();
    this.addClass('jp-Pipeline-status');
    this.button.type = 'button';
    this.node.append(this.button);
    this.button.onclick = () => this.project && open(this.project);
    this.progress = new Progress(pipelines.server, () => this.update_());
    pipelines.currentChanged.connect(this.update_, this);
    pipelines.projects.changed.connect(this.update_, this);
  }

  private update_(): void {
    const { current, projects, trans } = this.pipelines;
    const front = current?.model?.isEmpty === false ? current.projectId : null;
    const project = front ?? projects.entries[0]?.project_id ?? null;
    if (project !== this.project) {
      this.project = project;
      this.activeChanged.emit();
    }
    if (project === null) {
      this.progress.follow(null);
      return;
    }
    // A view knows at once; without one the list does, and how far a stage is, is heard while it runs.
    const model = this.pipelines.modelOf(project);
    const known = model && !model.catchingUp && !model.isEmpty ? model : null;
    const entry = projects.find(project);
    const stage = known ? known.current : (entry?.current_stage ?? 'PARSE_INTENT');
    const status = known ? known.stage.status : (entry?.status ?? 'PENDING');
    const ended_by = known ? (known.stage.endedBy ?? undefined) : entry?.ended_by;
    this.progress.follow(model === null && status === 'IN_PROGRESS' ? project : null);
    const percent = known ? percentOf(known) : this.progress.of(stage);
    const text =
      percent !== null
        ? trans.__('%1: %2 %3', project, stageName(stage, trans), `${Math.floor(100 * percent)} %`)
        : trans.__('%1: %2', project, howItStands({ current_stage: stage, status, ended_by }, trans));
    if (this.button.textContent !== text) {
      this.button.textContent = text;
      this.button.title = trans.__('Open the project %1', project);
    }
  }
}
