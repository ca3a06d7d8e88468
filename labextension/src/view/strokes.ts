/** Curves as strokes on a canvas, straight from the buffers of their points. */

import type { Series } from './series';

/** How values become places on the canvas. */
export interface Place {
  x0: number;
  sx: number;
  y0: number;
  sy: number;
  bottom: number;
  ratio: number;
}

/** Go on from the point before `from`. */
export function continued(ctx: CanvasRenderingContext2D, series: Series, from: number, place: Place): void {
  const { x, y, length } = series;
  const { x0, sx, y0, sy, bottom } = place;
  ctx.beginPath();
  let open = false;
  for (let i = Math.max(0, from - 1); i < length; i++) {
    const value = y[i];
    if (value !== value) {
      open = false;
      continue;
    }
    const px = (x[i] - x0) * sx;
    const py = bottom - (value - y0) * sy;
    if (open) {
      ctx.lineTo(px, py);
    } else {
      ctx.moveTo(px, py);
      open = true;
    }
  }
  ctx.stroke();
}

/**
 * A curve from its beginning; of more points than columns the least and the greatest in each column.
 *
 * @param pixels how wide a column is, in CSS pixels.
 */
export function whole(ctx: CanvasRenderingContext2D, series: Series, place: Place, pixels: number): void {
  const { x, y, length } = series;
  const { x0, sx, y0, sy, bottom, ratio } = place;
  if (length === 0) {
    return;
  }
  if ((x[length - 1] - x[0]) * sx > length) {
    continued(ctx, series, 0, place);
    return;
  }
  ctx.beginPath();
  let open = false;
  const step = Math.max(1, pixels * ratio);
  let i = 0;
  while (i < length) {
    const column = Math.floor(((x[i] - x0) * sx) / step);
    const end = x0 + ((column + 1) * step) / sx;
    let first = NaN;
    let last = NaN;
    let low = Infinity;
    let high = -Infinity;
    do {
      const value = y[i];
      if (value === value) {
        if (first !== first) {
          first = value;
        }
        last = value;
        if (value < low) {
          low = value;
        }
        if (value > high) {
          high = value;
        }
      }
      i += 1;
    } while (i < length && x[i] < end);
    if (first !== first) {
      open = false;
      continue;
    }
    const px = column * step;
    if (open) {
      ctx.lineTo(px, bottom - (first - y0) * sy);
    } else {
      ctx.moveTo(px, bottom - (first - y0) * sy);
      open = true;
    }
    if (high > low) {
      ctx.lineTo(px, bottom - (low - y0) * sy);
      ctx.lineTo(px, bottom - (high - y0) * sy);
      ctx.lineTo(px, bottom - (last - y0) * sy);
    }
  }
  ctx.stroke();
}
