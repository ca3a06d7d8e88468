/**
 * What a notebook shows of a pipeline: the view itself, connected to the server, with no kernel between. So it is
 * there while a cell runs, after the kernel is gone, and in a notebook that is opened again.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { PanelLayout, Widget } from '@lumino/widgets';
import { isProjectId } from '../client';
import { Commands, NAMESPACE, VIEW_MIME } from './ids';
import { ServerError } from './server';
import { IPipelines } from './tokens';

/** Before the widget's type, which has -10: whatever is first is shown. */
const RANK = -20;

export const cellPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:cell`,
  description: 'Shows the live view of a pipeline below its cell.',
  autoStart: true,
  requires: [IPipelines, IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, pipelines: IPipelines, registry: IRenderMimeRegistry): void => {
    registry.addFactory(
      {
        // A notebook says no more than the name of a project; nothing of its content is run.
        safe: true,
        mimeTypes: [VIEW_MIME],
        createRenderer: () =>
          new CellOutput(pipelines, registry, project => void app.commands.execute(Commands.open, { project }))
      },
      RANK
    );
  }
};

class CellOutput extends Widget implements IRenderMime.IRenderer {
  private shown = '';
  /** What stands there instead, and why. */
  private instead = '';

  constructor(
    private readonly pipelines: IPipelines,
    private readonly registry: IRenderMimeRegistry,
    private readonly open: (project: string) => void
  ) {
    super();
    this.addClass('jp-Pipeline-cell');
    this.layout = new PanelLayout();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[VIEW_MIME] as { project_id?: unknown; epoch?: unknown } | undefined;
    const project = data?.project_id;
    if (!isProjectId(project)) {
      return this.snapshot(model, null, this.pipelines.trans.__('This output names no project.'));
    }
    const key = `${project} ${String(data?.epoch)}`;
    if (key === this.shown) {
      return; // the snapshot beside it was brought up to date; the view is up to date by itself
    }
    this.shown = key;
    const { trans, server } = this.pipelines;
    try {
      const found = await server.project(project);
      if (this.isDisposed) {
        return;
      }
      if (data?.epoch && found.epoch !== data.epoch) {
        const why = trans.__('As it stood when this cell ran. Another project on this server is called %1 now.', project);
        return this.snapshot(model, project, why);
      }
      this.instead = '';
      this.replace(this.pipelines.createContent(project));
    } catch (error) {
      if (this.isDisposed) {
        return;
      }
      const gone = error instanceof ServerError && error.status === 404 && /no project/.test(error.message);
      const why = gone
        ? trans.__('As it stood when this cell ran. There is no project %1 on this server.', project)
        : trans.__('As it stood when this cell ran. %1', (error as Error).message);
      const instead = `${why} ${String(model.data['text/html'])}`;
      if (instead !== this.instead) {
        this.instead = instead; // and it stays while the server is asked again and again: somebody may read it
        await this.snapshot(model, gone ? null : project, why);
      }
      if (!gone) {
        this.shown = '';
        this.retry(model);
      }
    }
  }

  /** The page that is kept in the notebook, and why it is not live. */
  private async snapshot(model: IRenderMime.IMimeModel, project: string | null, why: string): Promise<void> {
    const note = document.createElement('div');
    note.className = 'jp-Pipeline-note';
    note.setAttribute('role', 'note');
    note.append(why);
    if (project !== null) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'jp-mod-styled';
      button.textContent = this.pipelines.trans.__('Open %1', project);
      button.onclick = () => this.open(project);
      note.append(' ', button);
    }
    const parts = [new Widget({ node: note })];
    if ('text/html' in model.data) {
      const page = this.registry.createRenderer('text/html');
      await page.renderModel(model);
      parts.push(page);
    }
    this.replace(...parts);
  }

  private retry(model: IRenderMime.IMimeModel): void {
    const retry = () => {
      const { projects } = this.pipelines;
      if (this.isDisposed || projects.problem === null) {
        projects.changed.disconnect(retry);
        if (!this.isDisposed) {
          void this.renderModel(model);
        }
      }
    };
    this.pipelines.projects.changed.connect(retry);
  }

  private replace(...widgets: Widget[]): void {
    const layout = this.layout as PanelLayout;
    for (const old of [...layout.widgets]) {
      old.dispose();
    }
    for (const widget of widgets) {
      layout.addWidget(widget);
    }
  }
}
