/** The view of a project as a Lumino widget. */

import { ISignal, Signal } from '@lumino/signaling';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { Connection } from '../client';
import { mountView, ProjectModel, ViewHost } from '../view';
import { VERSION } from '../version';
import type { Server } from './server';
import type { Projects } from './projects';
import type { TranslationBundle } from '@jupyterlab/translation';

export interface ContentOptions {
  projectId: string;
  server: Server;
  projects: Projects;
  trans: TranslationBundle;
  /** The language of JupyterLab. */
  language: string | null;
  /** Open a file by its path in the file browser. */
  openPath(path: string, kind: string): void;
}

export class ProjectContent extends Widget {
  readonly projectId: string;
  private _model: ProjectModel | null = null;
  private _connection: Connection | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _view: { dispose(): void };

  constructor(options: ContentOptions) {
    super();
    const { projectId, server, projects, trans } = options;
    this.projectId = projectId;
    this.addClass('jp-Pipeline-content');
    this.node.tabIndex = -1;
    const host: ViewHost = {
      openPath: (path, kind) => options.openPath(place(path, projectId, projects.folders.pipelines), kind),
      onModel: model => {
        this._model = model;
        model.subscribe(() => this._changed.emit());
      }
    };
    this._view = mountView(this.node, {
      projectId,
      connect: handlers => (this._connection = server.connect(projectId, handlers)),
      // The list has to hear of it too.
      rest: { ...server.rest(projectId), deleteProject: () => projects.remove(projectId) },
      host,
      trans,
      language: options.language,
      version: VERSION
    });
  }

  /** What is known of the project. */
  get model(): ProjectModel | null {
    return this._model;
  }

  /** The project, or what is known of it, changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  send(message: Record<string, unknown>): void {
    this._connection?.send(message);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._view.dispose();
    super.dispose();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    if (!this.node.contains(document.activeElement)) {
      this.node.focus({ preventScroll: true });
    }
  }
}

/** A project's file as the file browser counts: the server says where the folder of the projects is. */
function place(path: string, projectId: string, folder: string | null): string {
  const usual = `pipelines/${projectId}/`;
  if (folder === null || !path.startsWith(usual)) {
    return path;
  }
  return `${folder ? `${folder}/` : ''}${projectId}/${path.slice(usual.length)}`;
}
