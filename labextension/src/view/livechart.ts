/**
 * Curves of many runs that grow while one looks: uPlot's axes and cursor, and lines drawn straight from the model's
 * buffers. While the ranges of the axes stay as they are, and they seldom change, a frame draws only what is new.
 */

import uPlot from 'uplot';
import { roomy, rungAbove } from './ranges';
import type { Series } from './series';
import { number } from './words';

export interface Line {
  id: string;
  label: string;
  /** Name of the CSS variable with its colour. */
  colour: string;
  /** 2: the best, or pointed at; 1: running; 0: the others. */
  weight: 0 | 1 | 2;
  /** Place in the leaderboard, for the choice of labels where there is no room for all. */
  rank: number;
  val: Series | undefined;
  train: Series | undefined;
  /** Whether the training curve is drawn too; of many runs it would only be clutter. */
  withTrain: boolean;
}

const LABEL_HEIGHT = 15;
const FONT = '11px';

export interface Hover {
  line: Line;
  x: number;
  val: number;
  train: number;
  left: number;
  top: number;
}

/** How far a curve is drawn already. */
interface Drawn {
  seen: number;
  length: number;
}

export class LiveChart {
  private plot: uPlot;
  private curves = document.createElement('canvas');
  private labels = document.createElement('canvas');
  private lines: Line[] = [];
  private drawn = new Map<Series, Drawn>();
  private anew = true;
  private xRange: [number, number] = [0, 1];
  private yRange: [number, number] = [0, 1];
  private fitted = false;
  private growing = false;
  private colours = new Map<string, string>();
  private foreground = '#000';
  private muted = '#666';
  private grid = '#ddd';
  private fontFamily = 'sans-serif';
  private labelledAt = -Infinity;
  private labelTimer: ReturnType<typeof setTimeout> | null = null;
  private resizer: ResizeObserver;
  private shown = true;
  private watcher: IntersectionObserver;

  constructor(
    private readonly host: HTMLElement,
    private readonly height: number,
    onHover: (hover: Hover | null) => void
  ) {
    this.readTheme();
    this.plot = new uPlot(
      {
        width: Math.max(120, host.clientWidth),
        height,
        legend: { show: false },
        padding: [8, () => this.labelRoom(), 0, null],
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: { time: false, range: () => this.xRange },
          y: { range: () => this.yRange }
        },
        series: [{}, { paths: () => null, points: { show: false } }],
        axes: [
          {
            stroke: () => this.muted,
            grid: { show: false },
            ticks: { show: false },
            size: 24,
            font: `${FONT} ${this.fontFamily}`,
            values: (_u, ticks) => ticks.map(tick => (Number.isInteger(tick) ? String(tick) : ''))
          },
          {
            stroke: () => this.muted,
            grid: { stroke: () => this.grid, width: 1 },
            ticks: { show: false },
            size: 46,
            gap: 4,
            font: `${FONT} ${this.fontFamily}`
          }
        ],
        hooks: { setCursor: [u => onHover(this.nearest(u))] }
      },
      this.frame(),
      host
    );
    for (const [canvas, name] of [
      [this.curves, 'jppl-canvas'],
      [this.labels, 'jppl-canvas jppl-canvas-labels']
    ] as const) {
      canvas.className = name;
      canvas.setAttribute('aria-hidden', 'true');
      this.plot.over.parentElement!.insertBefore(canvas, this.plot.over);
    }
    this.resizer = new ResizeObserver(() => {
      const width = host.clientWidth;
      if (width > 0 && width !== this.plot.width) {
        this.plot.setSize({ width, height: this.height });
        this.anew = true;
        this.draw();
      }
    });
    this.resizer.observe(host);
    this.watcher = new IntersectionObserver(entries => {
      this.shown = entries[entries.length - 1].isIntersecting;
      if (this.shown) {
        this.draw();
      }
    });
    this.watcher.observe(host);
  }

  /** Other lines, or others of them in front; `growing` says that some are still at work. */
  setLines(lines: Line[], growing: boolean): void {
    this.lines = [...lines].sort((a, b) => a.weight - b.weight);
    this.growing = growing;
    this.fitted = false;
    this.anew = true;
    this.draw();
  }

  /** Draw the curves as they are now; nothing where they cannot be seen. */
  draw(): void {
    if (!this.shown || this.host.clientWidth === 0) {
      return;
    }
    this.fit();
    const u = this.plot;
    if (this.anew) {
      u.setData(this.frame());
    }
    const ratio = devicePixelRatio;
    const { bbox } = u;
    if (this.curves.width !== bbox.width || this.curves.height !== bbox.height) {
      this.curves.width = bbox.width;
      this.curves.height = bbox.height;
      this.anew = true;
    }
    Object.assign(this.curves.style, {
      left: `${bbox.left / ratio}px`,
      top: `${bbox.top / ratio}px`,
      width: `${bbox.width / ratio}px`,
      height: `${bbox.height / ratio}px`
    });
    const ctx = this.curves.getContext('2d')!;
    if (this.anew) {
      ctx.clearRect(0, 0, bbox.width, bbox.height);
      this.drawn.clear();
    }
    const [x0, x1] = this.xRange;
    const [y0, y1] = this.yRange;
    const place: Place = { x0, sx: bbox.width / (x1 - x0), y0, sy: bbox.height / (y1 - y0), bottom: bbox.height, ratio };
    for (const line of this.lines) {
      ctx.strokeStyle = ctx.fillStyle = this.colour(line.colour);
      if (line.train && line.withTrain) {
        ctx.globalAlpha = 0.75;
        ctx.lineWidth = ratio;
        ctx.setLineDash([4 * ratio, 3 * ratio]);
        this.trace(ctx, line.train, place);
        ctx.setLineDash([]);
      }
      if (line.val) {
        ctx.globalAlpha = line.weight > 0 ? 1 : 0.6;
        ctx.lineWidth = (line.weight === 2 ? 2.25 : line.weight === 1 ? 1.5 : 1) * ratio;
        this.trace(ctx, line.val, place);
      }
    }
    this.anew = false;
    this.label();
  }

  /** Colours again, after the theme has changed. */
  readTheme(): void {
    const style = getComputedStyle(this.host);
    this.colours.clear();
    this.foreground = style.color;
    this.muted = resolved(this.host, 'var(--jppl-muted)', this.foreground);
    this.grid = resolved(this.host, 'var(--jppl-grid)', '#ddd');
    this.fontFamily = style.fontFamily;
    this.anew = true;
  }

  dispose(): void {
    this.resizer.disconnect();
    this.watcher.disconnect();
    if (this.labelTimer !== null) {
      clearTimeout(this.labelTimer);
    }
    this.plot.destroy();
  }

  /** What is new of a curve; all of it when it was thinned, or is drawn for the first time. */
  private trace(ctx: CanvasRenderingContext2D, series: Series, place: Place): void {
    const before = this.drawn.get(series);
    if (before && before.seen === series.seen) {
      return;
    }
    if (before && series.length - before.length === series.seen - before.seen) {
      continued(ctx, series, before.length, place);
    } else {
      whole(ctx, series, place);
    }
    this.drawn.set(series, { seen: series.seen, length: series.length });
  }

  /** Room for the labels right of the curves. */
  private labelRoom(): number {
    const width = this.host.clientWidth;
    return width < 280 ? 14 : Math.max(112, Math.min(170, width * 0.27));
  }

  private frame(): uPlot.AlignedData {
    return [this.xRange, [null, null]];
  }

  private colour(name: string): string {
    let found = this.colours.get(name);
    if (found === undefined) {
      found = getComputedStyle(this.host).getPropertyValue(name).trim() || this.foreground;
      this.colours.set(name, found);
    }
    return found;
  }

  private fit(): void {
    let x0 = Infinity;
    let x1 = -Infinity;
    let y0 = Infinity;
    let y1 = -Infinity;
    // A point alone that does not lead, such as the baseline's, is named at the edge rather than squeezing the curves.
    const curves = this.lines.filter(line => line.weight === 2 || (line.val?.length ?? 0) > 1);
    for (const line of curves.length > 0 ? curves : this.lines) {
      for (const series of [line.val, line.withTrain ? line.train : undefined]) {
        if (series && series.length > 0) {
          x0 = Math.min(x0, series.x[0]);
          x1 = Math.max(x1, series.x[series.length - 1]);
          y0 = Math.min(y0, series.min);
          y1 = Math.max(y1, series.max);
        }
      }
    }
    if (!(x1 >= x0) || !(y1 >= y0)) {
      return;
    }
    const right = this.growing ? x0 + rungAbove(Math.max(4, x1 - x0)) : Math.max(x1, x0 + 1);
    const y = roomy(this.fitted ? this.yRange : null, y0, y1);
    if (x0 !== this.xRange[0] || right !== this.xRange[1] || y[0] !== this.yRange[0] || y[1] !== this.yRange[1]) {
      this.xRange = [x0, right];
      this.yRange = y;
      this.anew = true;
    }
    this.fitted = true;
  }

  /** Names and values at the ends of the curves, ten times a second at most. */
  private label(): void {
    const wait = this.labelledAt + 100 - performance.now();
    if (wait > 0) {
      this.labelTimer ??= setTimeout(() => {
        this.labelTimer = null;
        this.label();
      }, wait);
      return;
    }
    this.labelledAt = performance.now();
    const ratio = devicePixelRatio;
    const { bbox, width } = this.plot;
    const canvas = this.labels;
    if (canvas.width !== width * ratio || canvas.height !== this.height * ratio) {
      canvas.width = width * ratio;
      canvas.height = this.height * ratio;
    }
    const ctx = canvas.getContext('2d')!;
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    const named = this.labelRoom() > 20;
    const right = bbox.left + bbox.width;
    const bottom = bbox.top + bbox.height;
    const [x0, x1] = this.xRange;
    const [y0, y1] = this.yRange;
    const height = LABEL_HEIGHT * ratio;
    const room = Math.max(1, Math.floor(bbox.height / height));
    const chosen = this.lines
      .filter(line => line.val && line.val.last === line.val.last)
      .sort((a, b) => b.weight - a.weight || a.rank - b.rank)
      .slice(0, room)
      .map(line => {
        const series = line.val!;
        const endX = bbox.left + ((series.x[series.length - 1] - x0) / (x1 - x0)) * bbox.width;
        const place = bottom - ((series.last - y0) / (y1 - y0)) * bbox.height;
        const endY = Math.min(Math.max(place, bbox.top), bottom);
        return { line, endX, endY, y: endY, inside: endY === place };
      })
      .sort((a, b) => a.endY - b.endY);
    for (let i = 0; i < chosen.length; i++) {
      const least = i === 0 ? bbox.top + height / 2 : chosen[i - 1].y + height;
      chosen[i].y = Math.max(chosen[i].y, least);
    }
    for (let i = chosen.length - 1; i >= 0; i--) {
      const most = i === chosen.length - 1 ? bottom - height / 2 : chosen[i + 1].y - height;
      chosen[i].y = Math.min(chosen[i].y, most);
    }
    ctx.textBaseline = 'middle';
    for (const { line, endX, endY, y, inside } of chosen) {
      ctx.strokeStyle = ctx.fillStyle = this.colour(line.colour);
      if (inside) {
        ctx.globalAlpha = line.weight > 0 ? 1 : 0.6;
        ctx.beginPath();
        ctx.arc(endX, endY, (line.weight > 0 ? 3 : 2) * ratio, 0, 7);
        ctx.fill();
      }
      if (!named) {
        continue;
      }
      if (inside) {
        ctx.globalAlpha = line.weight > 0 ? 0.5 : 0.3;
        ctx.lineWidth = 0.75 * ratio;
        ctx.beginPath();
        ctx.moveTo(endX + 4 * ratio, endY);
        ctx.lineTo(right + 2 * ratio, y);
        ctx.lineTo(right + 8 * ratio, y);
        ctx.stroke();
      }
      ctx.globalAlpha = 1;
      ctx.fillStyle = line.weight > 0 ? this.foreground : this.muted;
      ctx.font = `${line.weight === 2 ? '600 ' : ''}${11 * ratio}px ${this.fontFamily}`;
      const value = number(line.val!.last, 3);
      const most = this.labelRoom() * ratio - 12 * ratio - ctx.measureText(` ${value}`).width;
      ctx.fillText(`${shortened(ctx, line.label, most)} ${value}`, right + 11 * ratio, y);
    }
    ctx.globalAlpha = 1;
  }

  private nearest(u: uPlot): Hover | null {
    const { left, top } = u.cursor;
    if (left === undefined || top === undefined || left < 0) {
      return null;
    }
    const ratio = devicePixelRatio;
    const width = u.bbox.width / ratio;
    const height = u.bbox.height / ratio;
    const [x0, x1] = this.xRange;
    const [y0, y1] = this.yRange;
    const x = x0 + (Math.min(left, width) / width) * (x1 - x0);
    let found: Hover | null = null;
    let least = 40;
    for (const line of this.lines) {
      const at = line.val ? line.val.nearest(x) : -1;
      if (at < 0) {
        continue;
      }
      const y = line.val!.y[at];
      const distance = Math.abs(((y1 - y) / (y1 - y0)) * height - top);
      if (distance < least) {
        least = distance;
        const beside = line.train ? line.train.nearest(line.val!.x[at]) : -1;
        found = {
          line,
          x: line.val!.x[at],
          val: y,
          train: beside >= 0 ? line.train!.y[beside] : NaN,
          left: left + u.bbox.left / ratio,
          top: top + u.bbox.top / ratio
        };
      }
    }
    return found;
  }
}

/** How values become places on the canvas. */
interface Place {
  x0: number;
  sx: number;
  y0: number;
  sy: number;
  bottom: number;
  ratio: number;
}

/** Go on from the point before `from`. */
function continued(ctx: CanvasRenderingContext2D, series: Series, from: number, place: Place): void {
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

/** A curve from its beginning; of more points than pixels the least and the greatest in each pixel. */
function whole(ctx: CanvasRenderingContext2D, series: Series, place: Place): void {
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
  const step = Math.max(1, ratio);
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

function shortened(ctx: CanvasRenderingContext2D, text: string, most: number): string {
  if (ctx.measureText(text).width <= most) {
    return text;
  }
  let end = text.length - 1;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > most) {
    end -= 1;
  }
  return `${text.slice(0, end)}…`;
}

/** A colour that may be computed from others, as the browser resolves it. */
function resolved(host: HTMLElement, colour: string, otherwise: string): string {
  const probe = document.createElement('span');
  probe.style.color = colour;
  probe.style.display = 'none';
  host.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found || otherwise;
}
