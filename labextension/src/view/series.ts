/** The points of one curve, in buffers that grow to a bound and are then thinned honestly. */

/** Points a series holds before it is thinned to half. */
export const MAX_POINTS = 4096;

/**
 * A growing curve. `x` and `y` hold `length` points in order of `x`; a value that was not finite is NaN, a gap.
 * When it is full it is thinned to half, so that no peak is lost.
 */
export class Series {
  x = new Float64Array(64);
  y = new Float64Array(64);
  length = 0;
  min = Infinity;
  max = -Infinity;
  /** The last value as it came. */
  last = NaN;
  /** Points that came, also those that were thinned away. */
  seen = 0;

  push(x: number, y: number | null): void {
    const value = y === null ? NaN : y;
    this.seen += 1;
    if (this.length === MAX_POINTS) {
      this.thin(MAX_POINTS / 2);
    }
    if (this.length === this.x.length) {
      this.x = grown(this.x);
      this.y = grown(this.y);
    }
    this.x[this.length] = x;
    this.y[this.length] = value;
    this.length += 1;
    if (value === value) {
      this.last = value;
      if (value < this.min) {
        this.min = value;
      }
      if (value > this.max) {
        this.max = value;
      }
    }
  }

  /**
   * Keep at most about `most` points: the ends, and of each of equal parts of the way along `x` the least and the
   * greatest value. Parts of `x`, not of the points, for what was thinned before must not be thinned more than the rest.
   */
  thin(most: number): void {
    const { x, y, length } = this;
    if (length <= most || length < 4) {
      return;
    }
    const first = x[0];
    const width = (x[length - 1] - first) / Math.max(1, most / 2 - 1) || 1;
    let kept = 1;
    let i = 1;
    while (i < length - 1) {
      const part = Math.floor((x[i] - first) / width);
      let low = i;
      let high = i;
      for (; i < length - 1 && Math.floor((x[i] - first) / width) === part; i++) {
        // NaN compares false, so gaps lose to values.
        if (y[i] < y[low] || y[low] !== y[low]) {
          low = i;
        }
        if (y[i] > y[high] || y[high] !== y[high]) {
          high = i;
        }
      }
      this.copy(Math.min(low, high), kept++);
      if (low !== high) {
        this.copy(Math.max(low, high), kept++);
      }
    }
    this.copy(length - 1, kept++);
    this.length = kept;
  }

  /** Thin, and give memory back. */
  shrink(most: number): void {
    this.thin(most);
    this.x = this.x.slice(0, Math.max(8, this.length));
    this.y = this.y.slice(0, Math.max(8, this.length));
  }

  /** Index of the point nearest to `x`, or -1. */
  nearest(x: number): number {
    let low = 0;
    let high = this.length - 1;
    if (high < 0) {
      return -1;
    }
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.x[middle] < x) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Math.abs(this.x[low] - x) <= Math.abs(this.x[high] - x) ? low : high;
  }

  /** The least and the greatest value of the second half of the way; nothing of a point alone. */
  late(): [number, number] {
    const { x, y, length } = this;
    let low = Infinity;
    let high = -Infinity;
    const begin = x[0] + (x[Math.max(0, length - 1)] - x[0]) / 2;
    for (let i = length - 1; i > 0 && x[i] > begin; i--) {
      const value = y[i];
      if (value < low) {
        low = value;
      }
      if (value > high) {
        high = value;
      }
    }
    return [low, high];
  }

  private copy(from: number, to: number): void {
    this.x[to] = this.x[from];
    this.y[to] = this.y[from];
  }
}

function grown(old: Float64Array): Float64Array<ArrayBuffer> {
  const next = new Float64Array(Math.min(MAX_POINTS, old.length * 2));
  next.set(old);
  return next;
}
