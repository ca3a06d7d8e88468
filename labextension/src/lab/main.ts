/** The plugin that the others stand on: the projects, a view for each, and the layout that comes back. */

import { ILabShell, ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { isProjectId } from '../client';
import { shareTranslation } from '../translation';
import { setLanguage, type ProjectModel } from '../view';
import { addCommands } from './commands';
import { openFile } from './files';
import { pipelineIcon } from './icon';
import { Commands, DOMAIN, NAMESPACE, PLUGIN, toProjectId } from './ids';
import { Projects } from './projects';
import { Server } from './server';
import type { ProjectEntry } from './server';
import { percentOf } from './percent';
import { IPipelines } from './tokens';
import { ProjectContent } from './view';

export const mainPlugin: JupyterFrontEndPlugin<IPipelines> = {
  id: PLUGIN,
  description: 'Machine learning projects: their list, a view for each, and commands.',
  autoStart: true,
  provides: IPipelines,
  optional: [ITranslator, ILabShell, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null
  ): IPipelines => {
    const pipelines = new Pipelines(app, translator ?? nullTranslator, labShell);
    addCommands(app, pipelines);
    if (restorer) {
      void restorer.restore(pipelines.tracker, {
        command: Commands.open,
        args: widget => ({ project: widget.content.projectId }),
        name: widget => widget.content.projectId
      });
    }
    return pipelines;
  }
};

export class Pipelines implements IPipelines {
  readonly trans;
  readonly server: Server;
  readonly projects: Projects;
  readonly tracker = new WidgetTracker<MainAreaWidget<ProjectContent>>({ namespace: NAMESPACE });
  readonly currentChanged = new Signal<this, void>(this);
  private readonly contents = new Set<ProjectContent>();
  private digest = '';

  constructor(
    readonly app: JupyterFrontEnd,
    readonly translator: ITranslator,
    private readonly labShell: ILabShell | null
  ) {
    this.trans = translator.load(DOMAIN);
    setLanguage(translator.languageCode);
    shareTranslation({ trans: this.trans, language: translator.languageCode });
    this.server = new Server(app.serviceManager.serverSettings, this.trans);
    this.projects = new Projects(this.server);
    this.tracker.currentChanged.connect(() => this.look());
  }

  get current(): ProjectContent | null {
    return this.tracker.currentWidget?.content ?? null;
  }

  isVisible(projectId: string): boolean {
    return (
      document.visibilityState === 'visible' &&
      [...this.contents].some(content => content.projectId === projectId && content.isVisible && inWindow(content.node))
    );
  }

  modelOf(projectId: string): ProjectModel | null {
    for (const content of this.contents) {
      if (content.projectId === projectId) {
        return content.model;
      }
    }
    return null;
  }

  standing(entry: ProjectEntry): ProjectEntry {
    const model = this.modelOf(entry.project_id);
    const known = model !== null && model.ready && !model.catchingUp && model.epoch === entry.epoch && model.seq >= entry.seq;
    return known ? { ...entry, current_stage: model.current, status: model.stage.status, ended_by: model.stage.endedBy ?? undefined } : entry;
  }

  createContent(projectId: string): ProjectContent {
    const content = new ProjectContent({
      projectId,
      server: this.server,
      projects: this.projects,
      trans: this.trans,
      language: this.translator.languageCode,
      openPath: (path, kind) => void openFile(this.app, path, kind, this.trans)
    });
    this.contents.add(content);
    content.changed.connect(this.look, this);
    content.disposed.connect(() => {
      this.contents.delete(content);
      this.look();
    });
    return content;
  }

  /** Show a project's view, in front; `besides` puts it next to what is there, where it cannot be seen yet. */
  open(projectId: string, options: { besides?: string } = {}): MainAreaWidget<ProjectContent> {
    let widget = this.find(projectId);
    if (!widget) {
      const content = this.createContent(projectId);
      widget = new MainAreaWidget({ content });
      widget.toolbar.hide(); // the view has its own controls
      widget.id = `jupyter-pipeline-${projectId}`;
      widget.title.label = projectId;
      widget.title.caption = this.trans.__('Project %1', projectId);
      widget.title.icon = pipelineIcon;
      widget.title.closable = true;
      void this.tracker.add(widget);
    }
    // One that lies behind would come before what it is to be seen with.
    if (!widget.isAttached || (options.besides && this.labShell && !widget.isVisible)) {
      if (this.labShell) {
        this.app.shell.add(widget, 'main', options.besides ? { mode: 'split-right', ref: options.besides } : {});
      } else {
        // Notebook 7 has one document to a page; beside it there is room for a view.
        this.app.shell.add(widget, 'right', { rank: 900 });
      }
    }
    this.app.shell.activateById(widget.id);
    return widget;
  }

  /** Close a project's view. */
  close(projectId: string): void {
    this.find(projectId)?.dispose();
  }

  private find(projectId: string): MainAreaWidget<ProjectContent> | undefined {
    return this.tracker.find(widget => widget.content.projectId === projectId);
  }

  /** Tell of what a list, a status bar or a menu shows; a view changes much more often. */
  private look(): void {
    const parts = [this.current?.projectId ?? ''];
    for (const { projectId, model } of this.contents) {
      if (model) {
        const percent = percentOf(model);
        parts.push(projectId, model.current, model.stage.status, model.gate?.gateId ?? '', `${percent && Math.floor(100 * percent)}`);
      }
    }
    const digest = parts.join('|');
    if (digest !== this.digest) {
      this.digest = digest;
      this.currentChanged.emit();
    }
  }
}

/** A name that somebody typed; null where nothing of it can be a project's name. */
export function projectNamed(text: string): string | null {
  const name = isProjectId(text) ? text : toProjectId(text);
  return isProjectId(name) ? name : null;
}

/** Whether a part of it is on the screen: a cell may be scrolled away. */
function inWindow(node: HTMLElement): boolean {
  const { top, bottom } = node.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}
