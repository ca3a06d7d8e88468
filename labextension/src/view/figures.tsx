/** Pictures of what was measured, drawn from the numbers themselves: text stays text, colours follow the theme. */

import { metricName } from '../protocol/names';
import { seriesColour } from './colours';
import { Confusion, FEW, MANY, Shades } from './confusion';
import { useView } from './context';
import { AssetImage, useJson } from './parts';
import type { Figure, FigureKind } from './records';
import { axisNumber, count, evenly, number } from './numbers';
import { roundValues, rungAbove } from './ranges';

export interface Bar {
  name: string;
  value: number;
  text: string;
  spread?: number;
}

/** Horizontal bars with their names and values. */
export function Bars({ bars, label }: { bars: Bar[]; label: string }) {
  const most = Math.max(...bars.map(b => Math.abs(b.value) + (b.spread ?? 0)), 1e-12);
  return (
    <dl class="jppl-bars" aria-label={label}>
      {bars.map(bar => (
        <div key={bar.name}>
          <dt title={bar.name}>
            <bdi>{bar.name}</bdi>
          </dt>
          <dd>
            <span class="jppl-bar-room" aria-hidden="true">
              <span
                class={bar.value < 0 ? 'jppl-bar jppl-bar-negative' : 'jppl-bar'}
                style={{ width: `${(100 * Math.abs(bar.value)) / most}%` }}
              />
              {bar.spread ? (
                <span
                  class="jppl-bar-spread"
                  style={{
                    left: `${(100 * Math.max(0, Math.abs(bar.value) - bar.spread)) / most}%`,
                    width: `${(100 * (Math.min(bar.spread, Math.abs(bar.value)) + bar.spread)) / most}%`
                  }}
                />
              ) : null}
            </span>
            <span class="jppl-bar-text">{bar.text}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A picture of a kind, from its numbers where there are some, else as it was drawn. */
export function FigureView({ kind, figure }: { kind: FigureKind; figure: Figure }) {
  const { trans } = useView();
  const loaded = useJson<any>(figure.dataUrl);
  const title = figureTitle(kind);
  if (loaded === null || loaded.state === 'failed') {
    return (
      <figure class="jppl-figure" aria-label={title}>
        <figcaption>{title}</figcaption>
        <AssetImage url={figure.url} alt={title} />
      </figure>
    );
  }
  return (
    <figure class={`jppl-figure jppl-figure-${kind}`} aria-label={title}>
      <figcaption>{title}</figcaption>
      {loaded.state === 'loading' ? <p class="jppl-muted">{trans.__('Loading…')}</p> : draw(loaded.value)}
    </figure>
  );

  function draw(data: any) {
    switch (kind) {
      case 'confusion':
        return data.classes.length <= FEW ? (
          <Confusion data={data} />
        ) : data.classes.length <= MANY ? (
          <Shades data={data} />
        ) : (
          <AssetImage url={figure.url} alt={title} />
        );
      case 'roc':
        return (
          <Lines
            curves={data.curves.map((c: any) => ({ name: String(c.class), x: c.fpr, y: c.tpr, value: c.auc }))}
            x={trans.__('False positive rate')}
            y={trans.__('True positive rate')}
            what="AUC"
            diagonal
          />
        );
      case 'precision_recall':
        return (
          <Lines
            curves={data.curves.map((c: any) => ({
              name: String(c.class),
              x: c.recall,
              y: c.precision,
              value: c.average_precision
            }))}
            x={trans.__('Recall')}
            y={trans.__('Precision')}
            what="AP"
          />
        );
      case 'residuals':
        return <Residuals data={data} />;
      case 'importance': {
        const columns = data.columns.filter((c: any) => c.mean !== null).slice(0, 15);
        const text = evenly(columns.map((c: any) => c.mean));
        return (
          <>
            <Bars
              label={title}
              bars={columns.map((c: any) => ({ name: c.name, value: c.mean, spread: c.std ?? 0, text: text(c.mean) }))}
            />
            <p class="jppl-hint">
              {trans.__('Loss in %1 when the column is shuffled; the mark is the spread.', metricName(data.metric, trans))}
            </p>
          </>
        );
      }
      case 'shap': {
        const columns = data.columns.slice(0, 15);
        const text = evenly(columns.map((c: any) => c.mean_abs));
        return (
          <>
            <Bars
              label={title}
              bars={columns.map((c: any) => ({ name: c.name, value: c.mean_abs, text: text(c.mean_abs) }))}
            />
            <p class="jppl-hint">
              {data.unit === 'value'
                ? trans.__('Mean size of what a column adds to a prediction, over %1 rows.', count(data.rows.length))
                : trans.__('Mean size of what a column adds to a prediction, %1, over %2 rows.', data.unit, count(data.rows.length))}
            </p>
          </>
        );
      }
      default:
        return <AssetImage url={figure.url} alt={title} />;
    }
  }

  function figureTitle(which: FigureKind): string {
    switch (which) {
      case 'confusion':
        return trans.__('Confusion matrix');
      case 'roc':
        return trans.__('ROC curve');
      case 'precision_recall':
        return trans.__('Precision and recall');
      case 'residuals':
        return trans.__('Residuals');
      case 'importance':
        return trans.__('Importance of columns');
      case 'shap':
        return trans.__('SHAP values of columns');
    }
  }
}

interface Curve {
  name: string;
  x: number[];
  y: number[];
  value: number | null;
}

const SIDE = 260;
const PAD = { left: 40, right: 10, top: 8, bottom: 36 };

/** Lines in the unit square. */
function Lines({
  curves,
  x,
  y,
  what,
  diagonal
}: {
  curves: Curve[];
  x: string;
  y: string;
  what: string;
  diagonal?: boolean;
}) {
  const { trans } = useView();
  const shown = curves.length <= 7 ? curves : [...curves].sort((a, b) => (a.value ?? 0) - (b.value ?? 0)).slice(0, 6);
  const side = SIDE;
  const px = (v: number): number => PAD.left + v * (side - PAD.left - PAD.right);
  const py = (v: number): number => side - PAD.bottom - v * (side - PAD.top - PAD.bottom);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return (
    <>
      <svg class="jppl-svg" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={trans.__('%1 by %2', y, x)}>
        {ticks.map(t => (
          <g key={t}>
            <line class="jppl-gridline" x1={px(0)} x2={px(1)} y1={py(t)} y2={py(t)} />
            <text x={px(0) - 6} y={py(t) + 3.5} text-anchor="end">
              {t}
            </text>
            <text x={px(t)} y={py(0) + 14} text-anchor="middle">
              {t}
            </text>
          </g>
        ))}
        <text x={(px(0) + px(1)) / 2} y={side - 4} text-anchor="middle">
          {x}
        </text>
        <text transform={`translate(11 ${(py(0) + py(1)) / 2}) rotate(-90)`} text-anchor="middle">
          {y}
        </text>
        {diagonal ? <line class="jppl-chance" x1={px(0)} y1={py(0)} x2={px(1)} y2={py(1)} /> : null}
        {shown.map((curve, i) => (
          <polyline
            key={i}
            class="jppl-line"
            style={{ stroke: `var(${seriesColour(i)})` }}
            points={points(curve, px, py)}
          />
        ))}
      </svg>
      <ul class="jppl-legend">
        {shown.map((curve, i) => (
          <li key={i}>
            <span class="jppl-swatch" style={{ background: `var(${seriesColour(i)})` }} />
            {curve.name}{' '}
            <span class="jppl-num">
              {what} {number(curve.value, 3)}
            </span>
          </li>
        ))}
        {curves.length > shown.length ? (
          <li class="jppl-muted">{trans.__('the %1 weakest of %2 classes', shown.length, curves.length)}</li>
        ) : null}
      </ul>
    </>
  );
}

function points(curve: Curve, px: (v: number) => number, py: (v: number) => number): string {
  const step = Math.max(1, Math.floor(curve.x.length / 400));
  const found: string[] = [];
  for (let i = 0; i < curve.x.length; i += step) {
    found.push(`${px(curve.x[i]).toFixed(1)},${py(curve.y[i]).toFixed(1)}`);
  }
  const last = curve.x.length - 1;
  found.push(`${px(curve.x[last]).toFixed(1)},${py(curve.y[last]).toFixed(1)}`);
  return found.join(' ');
}

function Residuals({ data }: { data: { predicted: number[]; residual: number[]; n_rows: number } }) {
  const { trans } = useView();
  const width = 420;
  const height = SIDE;
  // Not Math.min(...): a call cannot have a hundred thousand arguments.
  const x0 = data.predicted.reduce((a, b) => Math.min(a, b), Infinity);
  const x1 = data.predicted.reduce((a, b) => Math.max(a, b), -Infinity);
  const reach = rungAbove(data.residual.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12));
  const ticks = [-1, -0.5, 0, 0.5, 1].map(t => ({ t, text: t === 0 ? '0' : axisNumber(t * reach, reach / 2) }));
  const left = Math.max(PAD.left, 6 * Math.max(...ticks.map(({ text }) => text.length)));
  const [spacing, round] = roundValues(x0, x1);
  const across = round.length ? round.map(v => ({ v, text: axisNumber(v, spacing) })) : [{ v: x0, text: number(x0, 3) }];
  const px = (v: number): number => left + 8 + ((v - x0) / (x1 - x0 || 1)) * (width - left - PAD.right - 8);
  const py = (v: number): number => PAD.top + ((reach - v) / (2 * reach)) * (height - PAD.top - PAD.bottom);
  const step = Math.max(1, Math.ceil(data.predicted.length / 1200));
  const dots: string[] = [];
  for (let i = 0; i < data.predicted.length; i += step) {
    // One path of round ends costs less than a thousand circles.
    dots.push(`M${px(data.predicted[i]).toFixed(1)} ${py(data.residual[i]).toFixed(1)}h0`);
  }
  return (
    <>
      <svg class="jppl-svg jppl-svg-wide" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={trans.__('Residuals')}>
        {ticks.map(({ t, text }) => (
          <g key={t}>
            <line
              class={t === 0 ? 'jppl-chance' : 'jppl-gridline'}
              x1={px(x0)}
              x2={px(x1)}
              y1={py(t * reach)}
              y2={py(t * reach)}
            />
            <text x={left + 2} y={py(t * reach) + 3.5} text-anchor="end">
              {text}
            </text>
          </g>
        ))}
        {across.map(({ v, text }) => (
          <text key={v} x={px(v)} y={height - 20} text-anchor="middle">
            {text}
          </text>
        ))}
        <text x={(px(x0) + px(x1)) / 2} y={height - 4} text-anchor="middle">
          {trans.__('Predicted')}
        </text>
        <path class="jppl-dots" d={dots.join('')} />
      </svg>
      <p class="jppl-hint">{trans.__('True minus predicted, of %1 rows.', count(data.n_rows))}</p>
    </>
  );
}
