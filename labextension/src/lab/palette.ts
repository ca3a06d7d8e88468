/** Where people find the commands: the palette, the launcher. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { Commands, NAMESPACE } from './ids';
import { IPipelines } from './tokens';

export const palettePlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:palette`,
  description: 'The commands in the palette.',
  autoStart: true,
  requires: [IPipelines, ICommandPalette],
  activate: (_app: JupyterFrontEnd, pipelines: IPipelines, palette: ICommandPalette): void => {
    const category = pipelines.trans.__('Jupyter Pipeline');
    const { fromFile: _, ...listed } = Commands;
    for (const command of Object.values(listed)) {
      palette.addItem({ command, category, args: { isPalette: true } });
    }
  }
};

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:launcher`,
  description: 'A card in the launcher.',
  autoStart: true,
  requires: [IPipelines],
  optional: [ILauncher], // Notebook 7 has none
  activate: (_app: JupyterFrontEnd, pipelines: IPipelines, launcher: ILauncher | null): void => {
    launcher?.add({
      command: Commands.create,
      category: pipelines.trans.__('Machine Learning'),
      rank: 1,
      args: { isLauncher: true }
    });
  }
};
