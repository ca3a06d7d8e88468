/** Opening a project's files with what JupyterLab has for them. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

const FACTORIES: Record<string, string> = { report: 'HTML Viewer', notebook: 'Notebook', code: 'Editor' };

export async function openFile(
  app: JupyterFrontEnd,
  path: string,
  kind: string,
  trans: TranslationBundle
): Promise<void> {
  const factory = FACTORIES[kind];
  const known = factory !== undefined && app.docRegistry.getWidgetFactory(factory) !== undefined;
  try {
    const widget = await app.commands.execute('docmanager:open', known ? { path, factory } : { path });
    if (!widget && app.shell.currentWidget === null) {
      throw new Error(path);
    }
  } catch {
    Notification.error(trans.__('%1 cannot be opened: the file browser does not show it.', path), { autoClose: 8000 });
  }
}
