/** Ranges of axes that seldom change, so that a growing curve is continued instead of drawn anew. */

const LADDER = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next rung at or above a positive number. */
export function rungAbove(value: number): number {
  if (!(value > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  for (const rung of LADDER) {
    if (rung * power >= value * (1 - 1e-12)) {
      return rung * power;
    }
  }
  return 10 * power;
}

/** A range with room around the values; the old one while they still fit and fill at least a third of it. */
export function roomy(old: readonly [number, number] | null, low: number, high: number): [number, number] {
  if (old && low >= old[0] && high <= old[1] && high - low >= (old[1] - old[0]) / 3) {
    return [old[0], old[1]];
  }
  const room = high > low ? (high - low) * 0.1 : Math.max(Math.abs(high) * 0.05, 0.01);
  return [low - room, high + room];
}
