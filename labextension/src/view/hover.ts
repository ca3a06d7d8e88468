/** What the pointer is at in a chart. */

import type uPlot from 'uplot';
import type { Line } from './livechart';

export interface Hover {
  line: Line;
  x: number;
  val: number;
  train: number;
  /** Where the pointer is, from the chart's corner, in CSS pixels. */
  left: number;
  top: number;
}

/** How near the pointer has to be to a curve, in pixels. */
const NEAR = 40;

/** The curve that is nearest to the pointer, above or below it, and its values there; null where none is near. */
export function nearest(
  { cursor, bbox }: uPlot,
  lines: readonly Line[],
  [x0, x1]: readonly [number, number],
  [y0, y1]: readonly [number, number]
): Hover | null {
  const { left, top } = cursor;
  if (left === undefined || top === undefined || left < 0) {
    return null;
  }
  const width = bbox.width / devicePixelRatio;
  const height = bbox.height / devicePixelRatio;
  const x = x0 + (Math.min(left, width) / width) * (x1 - x0);
  let found: Hover | null = null;
  let least = NEAR;
  for (const line of lines) {
    const { val, train } = line;
    const at = val ? val.nearest(x) : -1;
    if (!val || at < 0) {
      continue;
    }
    const distance = Math.abs(((y1 - val.y[at]) / (y1 - y0)) * height - top);
    if (distance < least) {
      least = distance;
      const beside = train ? train.nearest(val.x[at]) : -1;
      found = {
        line,
        x: val.x[at],
        val: val.y[at],
        train: train && beside >= 0 ? train.y[beside] : NaN,
        left: left + bbox.left / devicePixelRatio,
        top: top + bbox.top / devicePixelRatio
      };
    }
  }
  return found;
}
