/** The server as JupyterLab reaches it: its settings carry the base URL, the token and XSRF, also behind a hub. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { bare, createRestClient, createWebSocketClient } from '../client';
import type { Connection, ConnectionHandlers, SocketOptions } from '../client';
import type { ProjectEntry, Snapshot } from '../protocol/types';
import type { ViewRest } from '../view';

export type { ProjectEntry } from '../protocol/types';

export interface Listing {
  projects: ProjectEntry[];
  server_version: string;
  /** Paths as the file browser counts them; null for a folder that it does not show. */
  folders: { workspace: string | null; pipelines: string | null };
}

/** An answer that is no success; the message is a sentence for people. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message);
  }
}

export class Server {
  constructor(
    readonly settings: ServerConnection.ISettings,
    private readonly trans: TranslationBundle
  ) {}

  list(): Promise<Listing> {
    return this.request('api/projects');
  }

  project(projectId: string): Promise<ProjectEntry> {
    return this.request(`api/projects/${encodeURIComponent(projectId)}`);
  }

  /** All that is true of a project now. */
  state(projectId: string): Promise<Snapshot> {
    return this.request(`api/projects/${encodeURIComponent(projectId)}/state`);
  }

  /** Send a client message without a view; resolves when what it caused is durable. */
  async send(projectId: string, message: Record<string, unknown>): Promise<void> {
    await this.request(`api/projects/${encodeURIComponent(projectId)}/messages`, {
      method: 'POST',
      body: JSON.stringify(message)
    });
  }

  async remove(projectId: string): Promise<void> {
    await this.request(`api/projects/${encodeURIComponent(projectId)}`, { method: 'DELETE' });
  }

  connect(projectId: string, handlers: ConnectionHandlers, more: Partial<SocketOptions> = {}): Connection {
    const { wsUrl, token } = this.settings;
    return createWebSocketClient({ projectId, baseUrl: wsUrl, token, since: 0, ...more, ...handlers });
  }

  rest(projectId: string): ViewRest {
    const { baseUrl, token } = this.settings;
    return createRestClient({ projectId, baseUrl, token });
  }

  private async request<T>(path: string, init: RequestInit = {}): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch {
      throw new ServerError(0, this.trans.__('The Jupyter server does not answer; trying again.'));
    }
    const text = await response.text();
    let answer: any = null;
    try {
      answer = text ? JSON.parse(text) : null;
    } catch {
      // A proxy's or a login page; the status says enough.
    }
    if (response.ok) {
      return answer as T;
    }
    throw new ServerError(response.status, this.explain(response.status, answer?.message));
  }

  private explain(status: number, message: unknown): string {
    const said = typeof message === 'string' ? message : '';
    if (bare(said) !== said) {
      return bare(said); // the pipeline's own
    }
    if (status === 404) {
      return this.trans.__(
        'This Jupyter server does not have the pipeline extension, or it is off. Run ' +
          '"jupyter server extension enable jupyter_pipeline" where the server runs, and start the server again.'
      );
    }
    return said || this.trans.__('The server answered %1; its log says why.', status);
  }
}
