/** The file browser's menu: a project that begins with the file that was clicked. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { isDataFile, stemOf } from '../datafiles';
import { pipelineIcon } from './icon';
import { Commands, freeName, NAMESPACE } from './ids';
import { projectNamed } from './main';
import { IPipelines } from './tokens';

export const filebrowserPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:filebrowser`,
  description: '"Build a model from this file" in the menu of data files.',
  autoStart: true,
  requires: [IPipelines, IFileBrowserFactory],
  activate: (app: JupyterFrontEnd, pipelines: IPipelines, factory: IFileBrowserFactory): void => {
    const { trans, projects, server } = pipelines;
    const chosen = () => {
      const items = [...(factory.tracker.currentWidget?.selectedItems() ?? [])];
      return items.length === 1 && items[0].type !== 'directory' && isDataFile(items[0].name) ? items[0] : null;
    };

    app.commands.addCommand(Commands.fromFile, {
      label: trans.__('Build a model from this file'),
      icon: pipelineIcon,
      describedBy: { args: { type: 'object', properties: { path: { type: 'string' } } } },
      isVisible: () => chosen() !== null,
      execute: async args => {
        const path = typeof args['path'] === 'string' ? args['path'] : chosen()?.path;
        if (!path) {
          return;
        }
        try {
          await projects.refresh();
          if (projects.problem) {
            throw projects.problem;
          }
          const file = inWorkspace(path, projects.folders.workspace);
          if (file === null) {
            throw new Error(trans.__('The file lies outside the folder that the pipelines work in; attach it to a project.'));
          }
          const name = projectNamed(stemOf(path)) ?? 'project';
          const project = freeName(name, projects.entries.map(entry => entry.project_id));
          // The request names the file; what to predict is asked, or proposed, at the gates that follow.
          await server.send(project, { type: 'chat', text: `Use the data in ${quoted(file)}` });
          await app.commands.execute(Commands.open, { project });
          void projects.refresh();
        } catch (error) {
          const why = (error as Error).message;
          Notification.error(trans.__('No project was made of %1: %2', path, why), { autoClose: false });
        }
      }
    });
  }
};

/** A path of the file browser as the pipeline counts it, from its workspace folder; null if it lies outside. */
function inWorkspace(path: string, workspace: string | null): string | null {
  const local = path.includes(':') ? path.slice(path.indexOf(':') + 1) : path;
  if (workspace === null) {
    return null;
  }
  const prefix = workspace === '' ? '' : `${workspace}/`;
  return local.startsWith(prefix) ? local.slice(prefix.length) : null;
}

/** In quotes that the name itself does not have. */
function quoted(name: string): string {
  const quote = ['`', '"', "'"].find(mark => !name.includes(mark)) ?? '`';
  return `${quote}${name}${quote}`;
}
