/**
 * Curves of many runs that grow while one looks: uPlot's axes and cursor, and lines drawn straight from the model's
 * buffers, so that a frame copies nothing.
 */

import uPlot from 'uplot';
import type { Series } from './series';
import { number } from './words';

export interface Line {
  id: string;
  label: string;
  /** Name of the CSS variable with its colour. */
  colour: string;
  /** 2: the best, or pointed at; 1: running; 0: the others. */
  weight: 0 | 1 | 2;
  val: Series | undefined;
  train: Series | undefined;
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

export class LiveChart {
  private plot: uPlot;
  private lines: Line[] = [];
  private xRange: [number, number] = [0, 1];
  private yRange: [number, number] = [0, 1];
  private colours = new Map<string, string>();
  private foreground = '#000';
  private muted = '#666';
  private grid = '#ddd';
  private fontFamily = 'sans-serif';
  private resizer: ResizeObserver;
  private shown = true;
  private watcher: IntersectionObserver;
  /** Milliseconds that the last frame took. */
  cost = 0;

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
        padding: [8, () => this.labels(), 0, null],
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
        hooks: {
          draw: [u => this.paint(u)],
          setCursor: [u => onHover(this.nearest(u))]
        }
      },
      this.frame(),
      host
    );
    this.resizer = new ResizeObserver(() => {
      const width = host.clientWidth;
      if (width > 0 && width !== this.plot.width) {
        this.plot.setSize({ width, height: this.height });
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

  setLines(lines: Line[]): void {
    this.lines = [...lines].sort((a, b) => a.weight - b.weight);
    this.draw();
  }

  /** Draw the curves as they are now; nothing where they cannot be seen. */
  draw(): void {
    if (!this.shown || this.host.clientWidth === 0) {
      return;
    }
    const began = performance.now();
    this.fit();
    this.plot.setData(this.frame());
    this.cost = performance.now() - began;
  }

  /** Colours again, after the theme has changed. */
  readTheme(): void {
    const style = getComputedStyle(this.host);
    this.colours.clear();
    this.foreground = style.color;
    this.muted = resolved(this.host, 'var(--jppl-muted)', this.foreground);
    this.grid = resolved(this.host, 'var(--jppl-grid)', '#ddd');
    this.fontFamily = style.fontFamily;
  }

  dispose(): void {
    this.resizer.disconnect();
    this.watcher.disconnect();
    this.plot.destroy();
  }

  /** Room for the labels right of the curves. */
  private labels(): number {
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
    for (const line of this.lines) {
      for (const series of [line.val, line.weight > 0 ? line.train : undefined]) {
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
    if (x1 === x0) {
      x1 = x0 + 1;
    }
    const margin = y1 > y0 ? (y1 - y0) * 0.06 : Math.max(Math.abs(y1) * 0.05, 0.01);
    this.xRange = [x0, x1];
    this.yRange = [y0 - margin, y1 + margin];
  }

  private paint(u: uPlot): void {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    const right = bbox.left + bbox.width;
    const [x0, x1] = this.xRange;
    const [y0, y1] = this.yRange;
    const sx = (right - bbox.left) / (x1 - x0);
    const sy = bbox.height / (y1 - y0);
    const bottom = bbox.top + bbox.height;
    ctx.save();
    ctx.lineJoin = 'round';
    for (const line of this.lines) {
      ctx.strokeStyle = ctx.fillStyle = this.colour(line.colour);
      if (line.train && line.weight > 0) {
        ctx.globalAlpha = 0.75;
        ctx.lineWidth = ratio;
        ctx.setLineDash([4 * ratio, 3 * ratio]);
        trace(ctx, line.train, x0, sx, bbox.left, y0, sy, bottom, ratio);
        ctx.setLineDash([]);
      }
      if (line.val) {
        ctx.globalAlpha = line.weight > 0 ? 1 : 0.6;
        ctx.lineWidth = (line.weight === 2 ? 2.25 : line.weight === 1 ? 1.75 : 1.1) * ratio;
        trace(ctx, line.val, x0, sx, bbox.left, y0, sy, bottom, ratio);
      }
    }
    ctx.globalAlpha = 1;
    if (this.labels() > 20) {
      this.paintLabels(ctx, ratio, bbox, x0, sx, y0, sy, bottom, right);
    }
    ctx.restore();
  }

  private paintLabels(
    ctx: CanvasRenderingContext2D,
    ratio: number,
    bbox: uPlot.BBox,
    x0: number,
    sx: number,
    y0: number,
    sy: number,
    bottom: number,
    right: number
  ): void {
    const height = LABEL_HEIGHT * ratio;
    const room = Math.max(1, Math.floor(bbox.height / height));
    const chosen = this.lines
      .filter(line => line.val && line.val.last === line.val.last)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, room)
      .map(line => {
        const series = line.val!;
        const endX = bbox.left + (series.x[series.length - 1] - x0) * sx;
        const endY = bottom - (series.last - y0) * sy;
        return { line, endX, endY, y: endY };
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
    ctx.textAlign = 'left';
    for (const { line, endX, endY, y } of chosen) {
      const colour = this.colour(line.colour);
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.globalAlpha = line.weight > 0 ? 1 : 0.6;
      ctx.beginPath();
      ctx.arc(endX, endY, (line.weight > 0 ? 3 : 2) * ratio, 0, 7);
      ctx.fill();
      ctx.globalAlpha = 0.55;
      ctx.lineWidth = 0.75 * ratio;
      ctx.beginPath();
      ctx.moveTo(endX + 4 * ratio, endY);
      ctx.lineTo(right + 4 * ratio, y);
      ctx.lineTo(right + 8 * ratio, y);
      ctx.stroke();
      ctx.globalAlpha = 1;
      ctx.fillStyle = line.weight > 0 ? this.foreground : this.muted;
      ctx.font = `${line.weight === 2 ? '600 ' : ''}${11 * ratio}px ${this.fontFamily}`;
      const value = number(line.val!.last, 3);
      const most = this.labels() * ratio - 12 * ratio - ctx.measureText(` ${value}`).width;
      ctx.fillText(`${shortened(ctx, line.label, most)} ${value}`, right + 11 * ratio, y);
    }
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

/** A curve; of more points than pixels the least and the greatest in each pixel. */
function trace(
  ctx: CanvasRenderingContext2D,
  series: Series,
  x0: number,
  sx: number,
  left: number,
  y0: number,
  sy: number,
  bottom: number,
  ratio: number
): void {
  const { x, y, length } = series;
  if (length === 0) {
    return;
  }
  if (length === 1) {
    ctx.beginPath();
    ctx.arc(left + (x[0] - x0) * sx, bottom - (y[0] - y0) * sy, 2.5 * ratio, 0, 7);
    ctx.fill();
    return;
  }
  ctx.beginPath();
  let open = false;
  const pixels = (x[length - 1] - x[0]) * sx;
  if (length < pixels) {
    for (let i = 0; i < length; i++) {
      const value = y[i];
      if (value !== value) {
        open = false;
        continue;
      }
      const px = left + (x[i] - x0) * sx;
      const py = bottom - (value - y0) * sy;
      if (open) {
        ctx.lineTo(px, py);
      } else {
        ctx.moveTo(px, py);
        open = true;
      }
    }
  } else {
    const step = Math.max(1, ratio);
    let i = 0;
    while (i < length) {
      const column = Math.floor(((x[i] - x0) * sx) / step);
      let first = NaN;
      let low = Infinity;
      let high = -Infinity;
      let last = NaN;
      const end = x0 + ((column + 1) * step) / sx;
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
      const px = left + column * step;
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
