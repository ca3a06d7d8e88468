/**
 * Whose turn it is to draw. A canvas that changed is copied as a whole by the browser, which costs more than the strokes on
 * it. So each chart draws only as often as it would look different, and in each picture of the screen only one of them.
 */

export interface Drawer {
  draw(): void;
  /** How long what it drew last may stay as it is, in milliseconds. */
  readonly staysMs: number;
}

const waiting = new Set<Drawer>();
const drawnAt = new WeakMap<Drawer, number>();
let asked = false;

/** Draw when it is this one's turn. */
export function drawInTurn(one: Drawer): void {
  waiting.add(one);
  ask();
}

/** It is gone, or was drawn by itself. */
export function notWaiting(one: Drawer): void {
  waiting.delete(one);
  drawnAt.set(one, performance.now());
}

function due(one: Drawer): number {
  return (drawnAt.get(one) ?? -Infinity) + one.staysMs;
}

function ask(): void {
  if (asked || waiting.size === 0) {
    return;
  }
  asked = true;
  const wait = Math.min(...[...waiting].map(due)) - performance.now();
  if (wait > 16) {
    setTimeout(() => requestAnimationFrame(turn), wait - 16);
  } else {
    requestAnimationFrame(turn);
  }
}

function turn(): void {
  asked = false;
  const now = performance.now();
  for (const one of waiting) {
    if (due(one) <= now) {
      notWaiting(one);
      one.draw();
      break;
    }
  }
  ask();
}
