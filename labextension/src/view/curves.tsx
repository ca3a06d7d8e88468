/** The live curves of all runs, a chart for each metric. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { metricName } from '../protocol/names';
import { modelColour } from './colours';
import { useView } from './context';
import type { Hover } from './hover';
import { Line, LiveChart } from './livechart';
import type { ProjectModel } from './model';
import { number } from './numbers';
import type { Run } from './records';
import { runLabels } from './runs';
import { Series } from './series';
import { drawInTurn } from './turns';
import { lowerIsBetter } from './words';

/** Metrics that have curves, the one that decides first. */
function chartMetrics(model: ProjectModel, runs: Run[]): string[] {
  const names = new Set<string>();
  for (const run of runs) {
    for (const key of run.series.keys()) {
      if (!key.endsWith('/test')) {
        names.add(key.slice(0, key.lastIndexOf('/')));
      }
    }
  }
  const primary = model.primaryMetric;
  // The loss is one of these: where that decides, its chart would be the same once more.
  if (['log_loss', 'rmse'].includes(primary) && names.has(primary)) {
    names.delete('loss');
  }
  return [...names].sort((a, b) => Number(b === primary) - Number(a === primary) || a.localeCompare(b));
}

const points = new WeakMap<Run, Map<string, Series>>();

/** What a run came to, as a point where its other curves end: not each library measures each metric at each step. */
function pointOf(run: Run, metric: string, value: number | null): Series | undefined {
  const ends = [...run.series.values()].map(series => series.x[series.length - 1]);
  if (value === null || ends.length === 0) {
    return undefined;
  }
  const known = points.get(run) ?? new Map<string, Series>();
  points.set(run, known);
  let point = known.get(metric);
  if (point?.last !== value) {
    point = new Series();
    point.push(Math.max(...ends), value);
    known.set(metric, point);
  }
  return point;
}

export function Curves({ pointed }: { pointed: string | null }) {
  const { model, trans } = useView();
  const runs = model.shownRuns();
  const metrics = chartMetrics(model, runs);
  if (metrics.length === 0) {
    return model.stages.TRAIN.status === 'IN_PROGRESS' ? (
      <div class="jppl-curves jppl-waiting">{trans.__('The first measured values come in a moment.')}</div>
    ) : null;
  }
  return (
    <div class={`jppl-curves ${metrics.length === 2 ? 'jppl-curves-pair' : ''}`}>
      {metrics.slice(0, 6).map((metric, i) => (
        <Curve key={metric} metric={metric} large={i === 0} pointed={pointed} />
      ))}
    </div>
  );
}

function Curve({ metric, large, pointed }: { metric: string; large: boolean; pointed: string | null }) {
  const { model, trans } = useView();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<LiveChart | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const [cut, setCut] = useState(false);
  useEffect(() => {
    const live = new LiveChart(place.current!, setHover, {
      counted: text => trans.__('step %1', text),
      onCut: setCut
    });
    setCut(false);
    chart.current = live;
    let drawn = -1;
    const stop = model.subscribe(() => {
      if (drawn !== model.seriesVersion) {
        drawn = model.seriesVersion;
        drawInTurn(live);
      }
    });
    const restyle = (): void => {
      live.readTheme();
      live.draw();
    };
    const theme = new MutationObserver(restyle);
    theme.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name', 'data-vscode-theme-id', 'class']
    });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', restyle);
    return () => {
      stop();
      theme.disconnect();
      scheme.removeEventListener('change', restyle);
      live.dispose();
      chart.current = null;
    };
  }, [model, large, metric]);
  const labels = runLabels(model, trans);
  const best = model.bestRun;
  const runs = model.shownRuns();
  const few = runs.length <= 3;
  const atWork = model.runningRuns().length;
  const ranks = new Map(model.leaderboard.map((row, i) => [row.run_id, i]));
  const lines: Line[] = [];
  for (const run of runs) {
    const value = run.final.find(m => m.name === metric && m.split === 'val')?.value ?? null;
    const val = run.series.get(`${metric}/val`) ?? pointOf(run, metric, value);
    const train = run.series.get(`${metric}/train`);
    if (!val && !train) {
      continue;
    }
    const running = run.status === 'running';
    const weight = run.runId === pointed || (pointed === null && run.runId === best) ? 2 : running || few ? 1 : 0;
    lines.push({
      id: run.runId,
      label: labels.get(run.runId) ?? run.runId,
      colour: modelColour(model, run.modelId),
      weight,
      rank: ranks.get(run.runId) ?? ranks.size,
      value,
      val,
      train,
      withTrain: weight === 2 || few || (running && atWork <= 2)
    });
  }
  const signature = lines.map(l => `${l.id}:${l.weight}:${l.colour}:${l.value}:${l.val ? 1 : 0}${l.train && l.withTrain ? 1 : 0}`).join();
  const growing = runs.some(run => run.status === 'running');
  useEffect(() => chart.current?.setLines(lines, growing), [model.runs, signature, growing, metric, large]);
  const name = metricName(metric, trans);
  const label = name.toLowerCase() === metric ? name : `${name} (${metric})`;
  return (
    <figure class={`jppl-curve ${large ? 'jppl-large' : ''}`} aria-label={label}>
      <figcaption>
        <strong>{name}</strong>
        {lowerIsBetter(metric) || cut ? (
          <span class="jppl-muted">
            {!lowerIsBetter(metric)
              ? trans.__('beginnings cut off')
              : cut
                ? trans.__('less is better, beginnings cut off')
                : trans.__('less is better')}
          </span>
        ) : null}
        {large ? (
          <span class="jppl-key">
            <svg width="22" height="8" aria-hidden="true">
              <line x1="0" x2="22" y1="4" y2="4" />
            </svg>
            {trans.__('validation')}
            <svg width="22" height="8" aria-hidden="true">
              <line x1="0" x2="22" y1="4" y2="4" stroke-dasharray="4 3" />
            </svg>
            {trans.__('training')}
          </span>
        ) : null}
      </figcaption>
      <div class="jppl-plot" ref={place} />
      {hover ? (
        <div
          class="jppl-tip"
          style={{
            left: `${hover.left}px`,
            top: `${hover.top}px`,
            transform: `translate(${hover.left > (place.current?.clientWidth ?? 0) / 2 ? '-100%' : '0'}, -100%)`
          }}
        >
          <strong>{hover.line.label}</strong> {trans.__('step %1', hover.x)}
          <br />
          {Number.isFinite(hover.train)
            ? trans.__('validation %1, training %2', number(hover.val), number(hover.train))
            : trans.__('validation %1', number(hover.val))}
        </div>
      ) : null}
    </figure>
  );
}
