/** Names and values at the ends of the curves, on a canvas of their own over the whole chart. */

import type { Line } from './livechart';
import type { Place } from './strokes';
import type { Theme } from './theme';
import { number } from './numbers';

const LABEL_HEIGHT = 15;

/** Where the curves are within the chart, in pixels of the canvas. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Label {
  line: Line;
  /** Where the curve ends. */
  endX: number;
  endY: number;
  /** Where the label is. */
  y: number;
  /** Whether the curve's end can be seen. */
  inside: boolean;
}

/** Room for the labels right of the curves, in CSS pixels of a chart of this width. */
export function labelRoom(width: number): number {
  return width < 240 ? 14 : Math.max(width < 330 ? 118 : width < 400 ? 136 : 156, Math.min(170, Math.round(width * 0.27)));
}

export class EndLabels {
  readonly canvas = document.createElement('canvas');
  /** Names that were cut to their room: to measure text is slow. */
  private readonly cut = new Map<string, string>();

  /** Forget what depends on the font. */
  restyled(): void {
    this.cut.clear();
  }

  /**
   * @param width and `height` of the chart, in CSS pixels.
   */
  draw(lines: readonly Line[], box: Box, place: Place, theme: Theme, width: number, height: number): void {
    const { ratio } = place;
    const { canvas } = this;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const ctx = canvas.getContext('2d')!;
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    const room = labelRoom(width);
    const gap = width < 400 ? 12 : 18;
    const right = box.left + box.width;
    ctx.textBaseline = 'middle';
    for (const { line, endX, endY, y, inside } of placed(lines, box, place)) {
      ctx.strokeStyle = ctx.fillStyle = theme.colour(line.colour);
      if (inside) {
        ctx.globalAlpha = line.weight > 0 ? 1 : theme.faint;
        ctx.beginPath();
        ctx.arc(endX, endY, (line.weight > 0 ? 3 : 2) * ratio, 0, 7);
        ctx.fill();
      }
      if (room <= 20) {
        continue;
      }
      if (inside) {
        ctx.globalAlpha = line.weight > 0 ? 0.5 : theme.faint / 2;
        ctx.lineWidth = 0.75 * ratio;
        ctx.beginPath();
        ctx.moveTo(endX + 4 * ratio, endY);
        // To the side first, where those of other curves run beside it, and then to its label: no two cross.
        ctx.lineTo(right + 2 * ratio, endY);
        ctx.lineTo(right + (gap - 3) * ratio, y);
        ctx.stroke();
      }
      ctx.globalAlpha = 1;
      ctx.fillStyle = line.weight > 0 ? theme.foreground : theme.muted;
      ctx.font = `${line.weight === 2 ? '600 ' : ''}${11 * ratio}px ${theme.font}`;
      const value = number(endOf(line), 3);
      const most = (room - gap - 1 - 6.2 * (value.length + 1)) * ratio;
      ctx.fillText(`${this.shortened(ctx, line.label, most)} ${value}`, right + gap * ratio, y);
    }
    ctx.globalAlpha = 1;
  }

  private shortened(ctx: CanvasRenderingContext2D, text: string, most: number): string {
    const key = `${ctx.font}|${Math.round(most)}|${text}`;
    let found = this.cut.get(key);
    if (found === undefined) {
      found = shortened(ctx, text, most);
      if (this.cut.size > 500) {
        this.cut.clear();
      }
      this.cut.set(key, found);
    }
    return found;
  }
}

/** What a run came to, else where its curve is. */
function endOf(line: Line): number {
  return line.value ?? line.val!.last;
}

/** The labels that there is room for, the most important first chosen, pushed apart where they would overlap. */
function placed(lines: readonly Line[], box: Box, place: Place): Label[] {
  const bottom = box.top + box.height;
  const height = LABEL_HEIGHT * place.ratio;
  const room = Math.max(1, Math.floor(box.height / height));
  const chosen = lines
    .filter(line => line.val && line.val.last === line.val.last)
    .sort((a, b) => b.weight - a.weight || a.rank - b.rank)
    .slice(0, room)
    .map((line): Label => {
      const series = line.val!;
      // A point alone does not widen the axis.
      const endX = box.left + Math.min((series.x[series.length - 1] - place.x0) * place.sx, box.width);
      const at = bottom - (endOf(line) - place.y0) * place.sy;
      const endY = Math.min(Math.max(at, box.top), bottom);
      return { line, endX, endY, y: endY, inside: endY === at };
    })
    .sort((a, b) => a.endY - b.endY);
  for (let i = 0; i < chosen.length; i++) {
    const least = i === 0 ? box.top + height / 2 : chosen[i - 1].y + height;
    chosen[i].y = Math.max(chosen[i].y, least);
  }
  for (let i = chosen.length - 1; i >= 0; i--) {
    const most = i === chosen.length - 1 ? bottom - height / 2 : chosen[i + 1].y - height;
    chosen[i].y = Math.min(chosen[i].y, most);
  }
  return chosen;
}

function shortened(ctx: CanvasRenderingContext2D, text: string, most: number): string {
  if (ctx.measureText(text).width <= most) {
    return text;
  }
  // The number tells runs of one model apart.
  const number = / \d+$/.exec(text)?.[0] ?? '';
  let end = text.length - number.length - 1;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…${number}`).width > most) {
    end -= 1;
  }
  return `${text.slice(0, end).trimEnd()}…${number}`;
}
