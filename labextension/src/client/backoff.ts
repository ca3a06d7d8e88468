/** How long to wait before the next attempt. */

export const FIRST_MS = 500;
export const MOST_MS = 30_000;

/**
 * Milliseconds before attempt `n` (from 0): twice as long each time, up to half a minute, of which a random half is
 * taken off, so that many pages do not come back at the same moment. Never less than what the server asked for.
 */
export function delay(n: number, askedMs = 0, random: () => number = Math.random): number {
  const whole = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(n, 16));
  return Math.max(askedMs, Math.round(whole * (0.5 + random() / 2)));
}

/** Milliseconds of a Retry-After header, which is seconds or a date; 0 if there is none. */
export function retryAfter(header: string | null, now: number): number {
  if (!header) {
    return 0;
  }
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}
