/**
 * Curves of many runs that grow while one looks: uPlot's axes and cursor, and lines drawn straight from the model's
 * buffers. While the ranges of the axes stay as they are, and they seldom change, a frame draws only what is new.
 */

import uPlot from 'uplot';
import { Hover, nearest } from './hover';
import { EndLabels, labelRoom } from './labels';
import { axisNumber, fixed } from './numbers';
import { roomy, rungAbove, withoutBeginnings } from './ranges';
import type { Series } from './series';
import { continued, Place, whole } from './strokes';
import { themeOf } from './theme';
import { notWaiting } from './turns';

export interface Line {
  id: string;
  label: string;
  /** Name of the CSS variable with its colour. */
  colour: string;
  /** 2: the best, or pointed at; 1: running; 0: the others. */
  weight: 0 | 1 | 2;
  /** Place in the leaderboard, for the choice of labels where there is no room for all. */
  rank: number;
  /** What the run came to, which may be better than where its curve ends; null before. */
  value: number | null;
  val: Series | undefined;
  train: Series | undefined;
  /** Whether the training curve is drawn too; of many runs it would only be clutter. */
  withTrain: boolean;
}

export interface ChartWords {
  /** The last number of the axis with what it counts: "step 200". */
  counted(text: string): string;
  /** Hears whether curves go beyond the axis, as they do where they begin far off. */
  onCut(cut: boolean): void;
}

const FONT = '11px';
/** Width of a digit in that font, about, in pixels. */
const DIGIT = 6.4;
/** Labels move five times a second at most: nobody reads faster, and text is slow to draw. */
const LABELS_MS = 200;
/** Width of the columns that curves in the background are drawn in, in pixels: forty of them have to fit into a frame. */
const COARSE = 2;
/** A picture stays until a curve is a pixel longer, but at least and at most so many milliseconds. */
const STAYS_MS: readonly [number, number] = [50, 200];

export class LiveChart {
  private readonly plot: uPlot;
  private readonly curves = document.createElement('canvas');
  private readonly labels = new EndLabels();
  private lines: Line[] = [];
  /** How many points of each curve are drawn already, and where they end. */
  private readonly drawn = new Map<Series, { seen: number; x: number }>();
  private anew = true;
  private drawnAt = 0;
  /** How long the picture may stay as it is. */
  staysMs = STAYS_MS[0];
  private xRange: [number, number] = [0, 1];
  private yRange: [number, number] = [0, 1];
  private fitted = false;
  private cut = false;
  private growing = false;
  private theme;
  private labelledAt = -Infinity;
  private labelTimer: ReturnType<typeof setTimeout> | null = null;
  /** The host's size as it was told, because to ask for it lays out the page. */
  private width: number;
  private height: number;
  private readonly resizer: ResizeObserver;
  private shown = true;
  private disposed = false;
  private readonly watcher: IntersectionObserver;

  constructor(
    private readonly host: HTMLElement,
    onHover: (hover: Hover | null) => void,
    private readonly words: ChartWords
  ) {
    this.theme = themeOf(host);
    this.width = host.clientWidth;
    this.height = host.clientHeight;
    this.plot = new uPlot(this.options(onHover), this.frame(), host);
    for (const [canvas, name] of [
      [this.curves, 'jppl-canvas'],
      [this.labels.canvas, 'jppl-canvas jppl-canvas-labels']
    ] as const) {
      canvas.className = name;
      canvas.setAttribute('aria-hidden', 'true');
      this.plot.over.parentElement!.insertBefore(canvas, this.plot.over);
    }
    this.resizer = new ResizeObserver(() => {
      this.width = host.clientWidth;
      this.height = host.clientHeight;
      if (this.width > 0 && (this.width !== this.plot.width || this.height !== this.plot.height)) {
        this.plot.setSize({ width: this.width, height: this.height });
      } else {
        this.draw();
      }
    });
    this.resizer.observe(host);
    this.watcher = new IntersectionObserver(entries => {
      this.shown = entries[entries.length - 1].isIntersecting;
      this.draw();
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
    notWaiting(this);
    if (!this.shown || this.width === 0 || this.disposed) {
      return;
    }
    this.fit();
    const u = this.plot;
    if (this.anew) {
      u.setData(this.frame());
    }
    const { bbox } = u;
    const ratio = devicePixelRatio;
    // A canvas has whole pixels, the plot need not: to set its size empties it.
    const [across, down] = [Math.round(bbox.width), Math.round(bbox.height)];
    if (this.curves.width !== across || this.curves.height !== down) {
      this.curves.width = across;
      this.curves.height = down;
      this.anew = true;
    }
    const ctx = this.curves.getContext('2d')!;
    if (this.anew) {
      Object.assign(this.curves.style, {
        left: `${bbox.left / ratio}px`,
        top: `${bbox.top / ratio}px`,
        width: `${bbox.width / ratio}px`,
        height: `${bbox.height / ratio}px`
      });
      ctx.clearRect(0, 0, bbox.width, bbox.height);
      this.drawn.clear();
    }
    const place = this.place();
    this.pace(place);
    for (const line of this.lines) {
      if (line.train && line.withTrain && this.isNew(line.train)) {
        this.pen(ctx, line.colour, 0.75, ratio);
        ctx.setLineDash([4 * ratio, 3 * ratio]);
        this.trace(ctx, line.train, place, COARSE);
        ctx.setLineDash([]);
      }
      if (line.val && this.isNew(line.val)) {
        const width = line.weight === 2 ? 2.25 : line.weight === 1 ? 1.5 : 1;
        this.pen(ctx, line.colour, line.weight > 0 ? 1 : this.theme.faint, width * ratio);
        this.trace(ctx, line.val, place, line.weight === 2 ? 1 : COARSE);
      }
    }
    if (this.anew) {
      this.labelledAt = -Infinity; // their curves have moved
    }
    this.anew = false;
    this.label();
  }

  private redraw(): void {
    this.anew = true;
    this.draw();
  }

  /** Colours again, after the theme has changed. */
  readTheme(): void {
    this.theme = themeOf(this.host);
    this.labels.restyled();
    this.anew = true;
  }

  dispose(): void {
    this.disposed = true;
    notWaiting(this);
    this.resizer.disconnect();
    this.watcher.disconnect();
    if (this.labelTimer !== null) {
      clearTimeout(this.labelTimer);
    }
    this.plot.destroy();
  }

  private options(onHover: (hover: Hover | null) => void): uPlot.Options {
    const font = `${FONT} ${this.theme.font}`;
    return {
      width: Math.max(120, this.width),
      height: Math.max(80, this.height),
      legend: { show: false },
      padding: [8, () => labelRoom(this.width), 0, null],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => this.xRange },
        y: { range: () => this.yRange }
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: [
        {
          stroke: () => this.theme.muted,
          grid: { show: false },
          ticks: { show: false },
          size: 24,
          font,
          values: (_u, ticks) => {
            const texts = ticks.map(tick => (Number.isInteger(tick) ? fixed(tick, 0) : ''));
            const last = texts.reduce((found, text, i) => (text ? i : found), -1);
            return texts.map((text, i) => (i === last ? this.words.counted(text) : text));
          }
        },
        {
          stroke: () => this.theme.muted,
          grid: { stroke: () => this.theme.grid, width: 1 },
          ticks: { show: false },
          size: (_u, values) => Math.ceil(Math.max(40, 16 + DIGIT * Math.max(0, ...(values ?? []).map(text => text.length)))),
          gap: 4,
          font,
          values: (_u, ticks, _axis, _space, step) => ticks.map(tick => axisNumber(tick, step))
        }
      ],
      hooks: {
        setCursor: [u => onHover(nearest(u, this.lines, this.xRange, this.yRange))],
        // Also when the page is zoomed, which changes how many pixels it has. Not before uPlot is done: ranges that it is
        // told meanwhile, because the curves have grown as well, it would not draw.
        setSize: [() => queueMicrotask(() => this.redraw())]
      }
    };
  }

  private isNew(series: Series): boolean {
    return this.drawn.get(series)?.seen !== series.seen;
  }

  /** How soon to draw again: when the curves are a pixel longer, if they go on to grow as they did. */
  private pace({ sx, ratio }: Place): void {
    let pixels = 0;
    for (const { val } of this.lines) {
      if (val && val.length > 0) {
        pixels = Math.max(pixels, ((val.x[val.length - 1] - (this.drawn.get(val)?.x ?? -Infinity)) * sx) / ratio);
      }
    }
    const now = performance.now();
    this.staysMs = Math.min(Math.max((now - this.drawnAt) / pixels, STAYS_MS[0]), STAYS_MS[1]);
    this.drawnAt = now;
  }

  private pen(ctx: CanvasRenderingContext2D, colour: string, alpha: number, width: number): void {
    ctx.strokeStyle = this.theme.colour(colour);
    ctx.globalAlpha = alpha;
    ctx.lineWidth = width;
  }

  /** What is new of a curve; all of it when it is drawn for the first time. */
  private trace(ctx: CanvasRenderingContext2D, series: Series, place: Place, pixels: number): void {
    const before = this.drawn.get(series)?.seen;
    const fresh = series.seen - (before ?? 0);
    // Where it was thinned meanwhile, what is drawn already still shows it.
    if (before !== undefined && fresh < series.length) {
      continued(ctx, series, series.length - fresh, place);
    } else {
      whole(ctx, series, place, pixels);
    }
    this.drawn.set(series, { seen: series.seen, x: series.x[series.length - 1] });
  }

  private place(): Place {
    const { bbox } = this.plot;
    const [x0, x1] = this.xRange;
    const [y0, y1] = this.yRange;
    return {
      x0,
      sx: bbox.width / (x1 - x0),
      y0,
      sy: bbox.height / (y1 - y0),
      bottom: bbox.height,
      ratio: devicePixelRatio
    };
  }

  private frame(): uPlot.AlignedData {
    return [this.xRange, [null, null]];
  }

  private fit(): void {
    let x0 = Infinity;
    let x1 = -Infinity;
    let y0 = Infinity;
    let y1 = -Infinity;
    const late: [number, number] = [Infinity, -Infinity];
    // A point alone, such as the baseline's, is named at the edge rather than squeezing the curves.
    const curves = this.lines.filter(line => (line.val?.length ?? 0) > 1);
    for (const line of curves.length > 0 ? curves : this.lines) {
      for (const series of [line.val, line.withTrain ? line.train : undefined]) {
        if (series && series.length > 0) {
          x0 = Math.min(x0, series.x[0]);
          x1 = Math.max(x1, series.x[series.length - 1]);
          y0 = Math.min(y0, series.min);
          y1 = Math.max(y1, series.max);
          const [low, high] = series.late();
          late[0] = Math.min(late[0], low);
          late[1] = Math.max(late[1], high);
        }
      }
    }
    if (!(x1 >= x0) || !(y1 >= y0)) {
      return;
    }
    const right = this.growing ? x0 + rungAbove(Math.max(4, x1 - x0)) : Math.max(x1, x0 + 1);
    const [low, high] = withoutBeginnings([y0, y1], late);
    const y = roomy(this.fitted ? this.yRange : null, low, high);
    if (this.cut !== (y0 < y[0] || y1 > y[1])) {
      this.cut = !this.cut;
      this.words.onCut(this.cut);
    }
    if (x0 !== this.xRange[0] || right !== this.xRange[1] || y[0] !== this.yRange[0] || y[1] !== this.yRange[1]) {
      this.xRange = [x0, right];
      this.yRange = y;
      this.anew = true;
    }
    this.fitted = true;
  }

  private label(): void {
    const wait = this.labelledAt + LABELS_MS - performance.now();
    if (wait > 0) {
      this.labelTimer ??= setTimeout(() => {
        this.labelTimer = null;
        this.label();
      }, wait);
      return;
    }
    this.labelledAt = performance.now();
    this.labels.draw(this.lines, this.plot.bbox, this.place(), this.theme, this.plot.width, this.height);
  }
}
