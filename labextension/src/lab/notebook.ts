/** The notebook's side: the button that opens its project, and the cell that shows it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { isProjectId } from '../client';
import { pipelineIcon } from './icon';
import { Commands, NAMESPACE, VIEW_MIME } from './ids';
import { projectNamed } from './main';
import { IPipelines } from './tokens';

export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:notebook`,
  description: 'The toolbar button and the commands of notebooks.',
  autoStart: true,
  requires: [IPipelines],
  activate: (app: JupyterFrontEnd, pipelines: IPipelines): void => {
    const { trans } = pipelines;
    const panel = (): any => {
      const widget: any = app.shell.currentWidget;
      return widget?.content?.model?.sharedModel?.cells && widget.context ? widget : null;
    };

    app.commands.addCommand(Commands.ofNotebook, {
      label: args => (args['toolbar'] ? '' : trans.__("Jupyter Pipeline: Open this Notebook's Project")),
      caption: trans.__("Open this notebook's project beside it"),
      icon: args => (args['isPalette'] ? undefined : pipelineIcon),
      isEnabled: () => panel() !== null,
      execute: () => {
        const notebook = panel();
        const project = notebook && projectOf(notebook);
        return project ? app.commands.execute(Commands.open, { project, besides: notebook.id }) : null;
      }
    });

    app.commands.addCommand(Commands.insertCell, {
      label: trans.__('Jupyter Pipeline: Insert a Cell with the Project'),
      isEnabled: () => panel() !== null,
      execute: () => {
        const notebook = panel();
        const project = notebook && projectOf(notebook);
        if (!project) {
          return;
        }
        const { content } = notebook;
        const at = content.activeCellIndex + 1;
        content.model.sharedModel.insertCell(at, {
          cell_type: 'code',
          source: `from jupyter_pipeline import Pipeline\n\np = Pipeline("${project}")\np`,
          metadata: {}
        });
        content.activeCellIndex = at;
      }
    });
  }
};

/** The project that the notebook showed last; without one, that of its name. */
function projectOf(notebook: any): string | null {
  const cells: any[] = notebook.content.model.sharedModel.toJSON().cells ?? [];
  const outputs = cells.flatMap(cell => cell.outputs ?? []);
  for (const output of outputs.reverse()) {
    const shown = output.data?.[VIEW_MIME]?.project_id;
    if (isProjectId(shown)) {
      return shown;
    }
  }
  const name = String(notebook.context.path).split('/').pop()!.replace(/\.ipynb$/i, '');
  return projectNamed(name);
}
