// What VS Code's Jupyter extension does in the webview (its src/webviews/webview-side/ipywidgets): a kernel connection whose
// socket are the messages to the window around, and VS Code's own widget manager on it.
import { ServerConnection } from '@jupyterlab/services';
import { KernelConnection } from '@jupyterlab/services/lib/kernel/default';
import { THEMES } from './themes.js';

const WIDGET = 'application/vnd.jupyter.widget-view+json';
const asked = new URLSearchParams(location.hash.slice(1));
const workbench = window.parent;
const post = message => workbench.postMessage(message, '*');
let socket;

class Socket {
  protocol = ''; // of before protocols had names

  constructor() {
    socket = this;
  }

  send(data) {
    post({ type: 'send', data });
  }

  close() {}
}

function setTheme(name) {
  const { kind, colours } = THEMES[name];
  document.body.classList.remove('vscode-light', 'vscode-dark', 'vscode-high-contrast', 'vscode-high-contrast-light');
  document.body.classList.add(kind);
  document.body.dataset.vscodeThemeKind = kind;
  document.documentElement.style.background = colours['editor-background']; // of the editor behind the webview
  for (const [variable, value] of Object.entries(colours)) {
    document.documentElement.style.setProperty(`--vscode-${variable}`, value);
  }
}

setTheme(asked.get('theme'));
delete window.parent;
requirejs.config({ baseUrl: '.', paths: { anywidget: 'anywidget/index' } });
const { activate } = await import(new URL('ipywidgets.js', location.href).href);
activate();
window.vscIPyWidgets8.load();

const displayed = new Map();
const views = new Map();
let kernelId;
let kernel;
let manager;

function display(modelId) {
  let found = displayed.get(modelId);
  if (!found) {
    found = Promise.withResolvers();
    displayed.set(modelId, found);
  }
  return found;
}

async function start() {
  const serverSettings = ServerConnection.makeSettings({ WebSocket: Socket, wsUrl: 'BOGUS_PVSC' });
  kernel = new KernelConnection({ serverSettings, clientId: asked.get('session'), handleComms: true, username: '', model: { id: kernelId, name: 'python3' } });
  const scripts = {
    widgetsRegisteredInRequireJs: new Set(['anywidget']),
    errorHandler: (name, module, version, error) => console.error(name, module, version, error),
    loadWidgetScript: async () => undefined,
    successHandler: () => undefined
  };
  manager = new window.vscIPyWidgets.WidgetManager(kernel, undefined, scripts, () => undefined);
  kernel.iopubMessage.connect(async (_, message) => {
    const widget = message.content.data?.[WIDGET];
    if (widget && ['display_data', 'execute_result'].includes(message.header.msg_type)) {
      await manager.get_model(widget.model_id);
      display(widget.model_id).resolve();
    }
  });
}

/** An output of a cell: the widget where the kernel has it, else the next that can be shown. */
async function render({ id, data, hasWidget }) {
  let output = document.getElementById(id);
  if (!output) {
    const cell = document.createElement('div');
    cell.className = 'cell_container';
    cell.innerHTML = '<div class="output_container"><div class="output"></div></div>';
    output = cell.querySelector('.output');
    output.id = id;
    document.getElementById('container').append(cell);
  }
  const widget = hasWidget ? data[WIDGET] : undefined;
  if (widget && views.get(id)?.modelId === widget.model_id) {
    return;
  }
  clear(id);
  output.replaceChildren();
  if (!widget) {
    output.innerHTML = data['text/html'] ?? '';
    return;
  }
  const place = document.createElement('div');
  place.className = 'cell-output-ipywidget-background';
  place.tabIndex = 0;
  output.append(place);
  const shown = { modelId: widget.model_id };
  views.set(id, shown);
  await display(widget.model_id).promise;
  const model = await manager.get_model(widget.model_id);
  const view = await manager.create_view(model, { el: place });
  shown.view = await manager.display_view(data, view, { node: place });
  setTimeout(() => keys(place), 500);
}

function clear(id) {
  views.get(id)?.view?.dispose();
  views.delete(id);
}

/** What the extension does to all buttons of a widget. */
function keys(place) {
  for (const element of place.querySelectorAll('button:not([tabindex]), a[href]:not([tabindex]), [role="button"]:not([tabindex])')) {
    element.tabIndex = 0;
    element.addEventListener('keydown', event => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        element.click();
      }
    });
  }
}

// A link is not followed: the window around saves what it holds (webviewPreloads.ts).
document.body.addEventListener('click', async event => {
  const link = event.composedPath().find(node => node instanceof HTMLAnchorElement && node.href);
  if (link) {
    event.preventDefault();
    if (link.href.startsWith('blob:')) {
      const blob = await (await fetch(link.href)).blob();
      const reader = new FileReader();
      reader.onload = () => post({ type: 'clicked-data-url', data: reader.result, downloadName: link.download });
      reader.readAsDataURL(blob);
    }
  }
});

addEventListener('message', ({ source, data }) => {
  if (source !== workbench) {
    return;
  }
  switch (data.type) {
    case 'kernel':
      kernelId = data.kernel;
      start().then(() => post({ type: 'started' }));
      break;
    case 'clear':
      [...views.keys()].forEach(clear);
      document.getElementById('container').replaceChildren();
      break;
    case 'open':
      socket.onopen({ target: socket });
      break;
    case 'message':
      socket.onmessage({ target: socket, data: data.data, type: '' });
      post({ type: 'handled' });
      break;
    case 'render':
      render(data).catch(error => console.error(error));
      break;
    case 'restarted':
      manager.dispose();
      kernel.dispose();
      void start();
      socket.onopen({ target: socket });
      break;
    case 'theme':
      setTheme(data.name);
      break;
  }
});
post({ type: 'ready' });
