/** The view as an anywidget: for notebooks where the JupyterLab extension is not. */

import type { AnyModel, RenderProps } from '@anywidget/types';
import { createRestClient, createWebSocketClient } from '../client';
import { sharedTranslation } from '../translation';
import { VERSION } from '../version';
import { mountView } from '../view';
import { reach } from './reach';
import { Relay } from './relay';

interface State {
  project_id: string;
  epoch: string;
  /** The page that a saved notebook shows. */
  snapshot: string;
}

export default {
  async render({ model, el }: RenderProps<State>): Promise<() => void> {
    const projectId = model.get('project_id');
    const { trans, language } = sharedTranslation();
    const place = document.createElement('div');
    el.append(place);
    const server = await reach(projectId, model.get('epoch'));
    if (server) {
      const { baseUrl, token } = server;
      const view = mountView(place, {
        projectId,
        trans,
        language,
        version: VERSION,
        connect: handlers => createWebSocketClient({ projectId, baseUrl, token, since: 0, ...handlers }),
        rest: createRestClient({ projectId, baseUrl, token })
      });
      return () => view.dispose();
    }
    // Until the kernel answers: in a page that was saved with its widgets none ever does.
    const snapshot = document.createElement('div');
    snapshot.innerHTML = model.get('snapshot') ?? '';
    snapshot.hidden = !snapshot.firstChild;
    place.hidden = !snapshot.hidden;
    el.prepend(snapshot);
    const note = document.createElement('div');
    note.setAttribute('role', 'status');
    note.style.cssText = 'font: 12px/1.5 var(--jp-ui-font-family, system-ui, sans-serif); padding: 2px 8px; opacity: 0.85';
    note.hidden = true;
    el.prepend(note);
    const relay = new Relay(model as unknown as AnyModel, {
      onBusy: busy => {
        note.hidden = !busy;
        note.textContent = busy
          ? trans.__(
              'A cell is running. What you do here reaches the pipeline when the cell has ended; interrupt the kernel ' +
                'to end it.'
            )
          : '';
      }
    });
    const view = mountView(place, {
      projectId,
      trans,
      language,
      version: VERSION,
      connect: handlers =>
        relay.connect({
          ...handlers,
          onEvent: event => {
            place.hidden = false;
            snapshot.remove();
            handlers.onEvent?.(event);
          }
        }),
      rest: relay.rest
    });
    return () => view.dispose();
  }
};
