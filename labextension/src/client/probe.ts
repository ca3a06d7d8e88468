/** Why a socket was not let in: a browser does not say, but a request does. */

import { retryAfter } from './backoff';
import { credentials } from './rest';
import { say } from './sentences';
import type { Sentence } from './sentences';
import type { Addresses } from './urls';

export interface Found {
  /** To try again makes no sense. */
  denied: boolean;
  why: Sentence;
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
    return { denied: false, why: say('UNREACHABLE'), waitMs: 0 };
  } finally {
    clearTimeout(timer);
  }
}

function explained({ ok, status }: Response, token: string | null): { denied: boolean; why: Sentence } {
  if (status === 401 || status === 403) {
    return { denied: true, why: say(token ? 'BAD_TOKEN' : 'LOG_IN') };
  }
  if (status === 404) {
    return { denied: false, why: say('NO_EXTENSION') };
  }
  return { denied: false, why: ok ? say('BLOCKED') : say('ANSWERED', status) };
}
