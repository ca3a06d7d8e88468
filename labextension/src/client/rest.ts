/** The REST calls of one project. */

import type { Artifact, Ack, ClientMessage, Dataset, EventFrame, Pong, Snapshot } from '../protocol/types';
import { retryAfter } from './backoff';
import { bare, say, textOf } from './sentences';
import type { Sentence } from './sentences';
import { addresses, checkProjectId } from './urls';
import type { Addresses } from './urls';

/** An answer that is no success, or none at all (`status` 0); the message is a sentence for people. */
export class RestError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string = '',
    readonly retryAfterMs: number | null = null,
    /** What the message says as a code with parts, for a text in another language; not where the server said it. */
    readonly sentence: Sentence | undefined = undefined
  ) {
    super(message);
    this.name = 'RestError';
  }
}

export interface RestOptions {
  projectId: string;
  /** As that of the socket: ws, wss, http or https, with the server's base path; by default this page's server. */
  baseUrl?: string;
  /** The server's token. Without one the page's cookie is used, which takes a page of the server itself. */
  token?: string | null;
}

/** A row to predict: column to value. */
export type Row = Record<string, string | number | boolean | null>;

/** What the model says of some rows. */
export interface Predictions {
  predictions: (string | number | boolean | null)[];
  probabilities?: { classes: (string | number | boolean)[]; values: number[][] };
  /** By column, what of its values the model could make nothing of. */
  notes?: Record<string, string>;
}

export interface EventPage {
  project_id: string;
  epoch: string;
  seq: number;
  resumed: boolean;
  next: number;
  events: EventFrame[];
}

export interface UploadOptions {
  /** The file's name, where the body is no File. */
  name?: string;
  /** Hears the fraction that is sent, from 0 to 1. */
  onProgress?(fraction: number): void;
  signal?: AbortSignal;
}

export interface RestClient {
  state(): Promise<Snapshot>;
  /** Send a client message over HTTP; with an `id` it takes effect once. */
  message(message: ClientMessage): Promise<Ack | Pong>;
  events(query?: { since?: number; limit?: number; wait_s?: number; epoch?: string; signal?: AbortSignal }): Promise<EventPage>;
  /** Upload a data file, which becomes a candidate. */
  upload(file: Blob, options?: UploadOptions): Promise<{ dataset: Dataset }>;
  assets(): Promise<Artifact[]>;
  /** Fetch an asset by the `asset_url` or `url` that an event has. */
  asset(url: string): Promise<Blob>;
  /** The address of an asset for a browser tab, a picture or a download; it carries the token if there is one. */
  assetUrl(url: string): string;
  predict(rows: Row[]): Promise<Predictions>;
  /** End the project's work and remove it. */
  deleteProject(): Promise<void>;
}

export function createRestClient(options: RestOptions): RestClient {
  checkProjectId(options.projectId);
  const page = typeof location === 'undefined' ? undefined : location.href;
  const base = addresses(options.baseUrl ?? '/', page);
  const token = options.token || null;
  const one = `${base.http}api/projects/${encodeURIComponent(options.projectId)}`;

  const call = async (method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Response> => {
    const headers = credentials(base, token, method);
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
    }
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
        credentials: token ? 'omit' : 'same-origin',
        signal
      });
    } catch (error) {
      if (signal?.aborted) {
        throw error;
      }
      throw own(unreachable(base));
    }
    if (!response.ok) {
      throw failure(response.status, await response.text().catch(() => ''), response.headers.get('Retry-After'));
    }
    return response;
  };
  const json = async (method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<any> => {
    const response = await call(method, `${one}${path}`, body, signal);
    const text = await response.text();
    const answer = parsed(text);
    if (answer === null) {
      throw failure(response.status, text, null); // a proxy's page, or one to log in at
    }
    return answer;
  };
  /** The token is for this server alone, whatever address an event names. */
  const absolute = (url: string): URL => {
    const found = new URL(url, base.http);
    if (found.origin !== new URL(base.http).origin) {
      throw own(say('FOREIGN_ASSET', url));
    }
    return found;
  };

  return {
    state: () => json('GET', '/state'),
    message: message => json('POST', '/messages', message),
    events: ({ signal, ...query } = {}) => {
      const asked = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) {
          asked.set(name, String(value));
        }
      }
      return json('GET', `/events?${asked}`, undefined, signal);
    },
    upload: (file, { name, onProgress, signal } = {}) => {
      const called = name ?? (file instanceof File ? file.name : 'data.csv');
      return upload(`${one}/data?name=${encodeURIComponent(called)}`, file, credentials(base, token, 'POST'), base, onProgress, signal);
    },
    assets: async () => (await json('GET', '/assets')).assets,
    asset: async url => (await call('GET', absolute(url).href)).blob(),
    assetUrl: url => {
      const found = absolute(url);
      if (token) {
        found.searchParams.set('token', token);
      }
      return found.href;
    },
    predict: rows => json('POST', '/predict', { rows }),
    deleteProject: async () => {
      await call('DELETE', one);
    }
  };
}

/** Headers that say who asks: the token, or that a page of the server itself asks (XSRF). */
export function credentials(base: Addresses, token: string | null, method = 'GET'): Record<string, string> {
  if (token) {
    return { Authorization: `token ${token}` };
  }
  const own = typeof location !== 'undefined' && new URL(base.http).origin === location.origin;
  const xsrf = own && method !== 'GET' ? /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1] : undefined;
  return xsrf ? { 'X-XSRFToken': xsrf } : {};
}

/** A request whose progress can be told, which fetch cannot. */
function upload(
  url: string,
  file: Blob,
  headers: Record<string, string>,
  base: Addresses,
  onProgress?: (fraction: number) => void,
  signal?: AbortSignal
): Promise<{ dataset: Dataset }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    for (const [name, value] of Object.entries({ ...headers, 'Content-Type': 'application/octet-stream' })) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = event => {
      if (event.lengthComputable && event.total > 0) {
        onProgress?.(event.loaded / event.total);
      }
    };
    const aborted = (): void => reject(new DOMException(textOf(say('UPLOAD_STOPPED')), 'AbortError'));
    request.onload = () => {
      const { status, responseText } = request;
      const answer = status >= 200 && status < 300 ? parsed(responseText) : null;
      if (answer !== null) {
        onProgress?.(1);
        resolve(answer);
      } else {
        reject(failure(status, responseText, request.getResponseHeader('Retry-After')));
      }
    };
    request.onerror = () => reject(own(unreachable(base)));
    request.onabort = aborted;
    if (signal?.aborted) {
      aborted();
      return;
    }
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

/** What an answer that is no success says; a proxy's page says only its status. */
export function failure(status: number, text: string, retry: string | null): RestError {
  const frame = parsed(text);
  const said = typeof frame?.message === 'string' ? bare(frame.message) : '';
  const wait = typeof frame?.retry_after_ms === 'number' ? frame.retry_after_ms : retryAfter(retry, Date.now()) || null;
  const code = String(frame?.code ?? '');
  return said ? new RestError(said, status, code, wait) : own(say('ANSWERED', status), status, code, wait);
}

/** An answer's JSON; null if it is none, and not from the pipeline. */
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** An error that the client tells of by itself. */
function own(sentence: Sentence, status = 0, code = '', wait: number | null = null): RestError {
  return new RestError(textOf(sentence), status, code, wait, sentence);
}

function unreachable(base: Addresses): Sentence {
  return say('UNREACHABLE_AT', base.http, typeof location === 'undefined' ? 'ORIGIN' : location.origin);
}
