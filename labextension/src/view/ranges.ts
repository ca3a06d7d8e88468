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

/** How far apart the marks of an axis are, and the round values in its range: three to five, none where there is no range. */
export function roundValues(low: number, high: number): [step: number, values: number[]] {
  const step = rungAbove((high - low) / 4);
  const first = Math.ceil(low / step);
  return [step, high > low ? [0, 1, 2, 3, 4].map(i => (first + i) * step).filter(v => v <= high) : []];
}

/** A range with room around the values; the old one while they still fit and fill at least a third of it. */
export function roomy(old: readonly [number, number] | null, low: number, high: number): [number, number] {
  if (old && low >= old[0] && high <= old[1] && high - low >= (old[1] - old[0]) / 3) {
    return [old[0], old[1]];
  }
  const room = high > low ? (high - low) * 0.1 : Math.max(Math.abs(high) * 0.05, 0.01);
  return [low - room, high + room];
}

/** Where curves begin far off, so much of what they come to is shown beside it, on either side. */
const BESIDE = 1;
/** What they come to takes at least this part of the room, but no more than it needs: noise is not magnified for ever. */
const LEAST = 1 / 20;

/**
 * The range of values that is worth the room. The first steps of a training can be so far off that what it comes to, by
 * which curves are compared, would be a flat line; then the beginnings are cut off.
 *
 * @param all the least and the greatest of all values.
 * @param late the same without the beginning of each curve.
 */
export function withoutBeginnings(all: readonly [number, number], late: readonly [number, number]): [number, number] {
  const span = Math.max(late[1] - late[0], (all[1] - all[0]) * LEAST);
  if (!(late[1] >= late[0]) || all[1] - all[0] <= (1 + 2 * BESIDE) * span) {
    return [all[0], all[1]];
  }
  return [Math.max(all[0], late[0] - BESIDE * span), Math.min(all[1], late[1] + BESIDE * span)];
}
