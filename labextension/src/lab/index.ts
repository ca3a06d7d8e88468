/** The JupyterLab plugins; all of them work in Notebook 7 as well, as far as it has a place for them. */

import { cellPlugin } from './cell';
import { filebrowserPlugin } from './filebrowser';
import { mainPlugin } from './main';
import { notebookPlugin } from './notebook';
import { notificationsPlugin } from './notifications';
import { launcherPlugin, palettePlugin } from './palette';
import { panelPlugin } from './panel';
import { statusPlugin } from './status';

export { IPipelines } from './tokens';

export default [
  mainPlugin,
  panelPlugin,
  palettePlugin,
  launcherPlugin,
  filebrowserPlugin,
  notebookPlugin,
  statusPlugin,
  notificationsPlugin,
  cellPlugin
];
