/** Why a socket was not let in: a browser does not say, but a request does. */

import { retryAfter } from './backoff';
import { credentials } from './rest';
import type { Addresses } from './urls';

export interface Found {
  /** To try again makes no sense. */
  denied: boolean;
  /** A sentence for people. */
  reason: string;
  /** How long the server asks to wait, in milliseconds. */
  waitMs: number;
}

export async function probe(base: Addresses, token: string | null, timeoutMs: number): Promise<Found> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  try {
    const response = await fetch(`${base.http}api/projects`, {
      headers: credentials(base, token),
      cache: 'no-store',
      credentials: token ? 'omit' : 'same-origin',
      signal: stop.signal
    });
    return { ...explained(response, token), waitMs: retryAfter(response.headers.get('Retry-After'), Date.now()) };
  } catch {
    return { denied: false, reason: 'The server cannot be reached.', waitMs: 0 };
  } finally {
    clearTimeout(timer);
  }
}

function explained({ ok, status }: Response, token: string | null): { denied: boolean; reason: string } {
  if (status === 401 || status === 403) {
    const reason = token
      ? 'The server does not accept the token; get a new one from "jupyter server list".'
      : 'The server asks who you are; log in, or give a token.';
    return { denied: true, reason };
  }
  if (status === 404) {
    const reason =
      'This Jupyter server does not have the pipeline extension, or it is off: jupyter server extension enable jupyter_pipeline';
    return { denied: false, reason };
  }
  const reason = ok
    ? 'The server answers, but its socket cannot be opened; a proxy may block WebSockets.'
    : `The server answered ${status}.`;
  return { denied: false, reason };
}
