/** The points of one curve, in buffers that grow to a bound and are then thinned honestly. */

/** Points a series holds before it is thinned to half. */
export const MAX_POINTS = 4096;

/**
 * A growing curve. `x` and `y` hold `length` points in order of `x`; a value that was not finite is NaN, a gap.
 * When it is full, the least and the greatest value of each four points stay, so that no peak is lost.
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

  /** Keep at most about `most` points: of each bucket the least and the greatest value, and the last point. */
  thin(most: number): void {
    if (this.length <= most) {
      return;
    }
    const perBucket = Math.max(2, Math.ceil(this.length / Math.max(1, most / 2 - 1)));
    const end = this.length - 1;
    let kept = 0;
    for (let start = 0; start < end; start += perBucket) {
      const stop = Math.min(start + perBucket, end);
      let low = start;
      let high = start;
      for (let i = start; i < stop; i++) {
        // NaN compares false, so gaps lose to values.
        if (this.y[i] < this.y[low] || this.y[low] !== this.y[low]) {
          low = i;
        }
        if (this.y[i] > this.y[high] || this.y[high] !== this.y[high]) {
          high = i;
        }
      }
      const [first, second] = low < high ? [low, high] : [high, low];
      this.copy(first, kept++);
      if (second !== first) {
        this.copy(second, kept++);
      }
    }
    this.copy(end, kept++);
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
