/** Training: curves of all runs by metric, how far it is, what it uses, and the leaderboard. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { colourIndex, colourOf, colourVariable } from './colours';
import { useNow, useNumbers, useView } from './context';
import { Hover, Line, LiveChart } from './livechart';
import type { LeaderboardRow, ProjectModel, Run } from './model';
import { Icon, Meter } from './parts';
import { bytes, duration, lowerIsBetter, metricName, number, percent } from './words';

/** What a run is called: its model, and a number where the model has more than one run. */
export function runLabels(model: ProjectModel): Map<string, string> {
  const runs = model.shownRuns();
  const many = new Map<string, number>();
  for (const run of runs) {
    many.set(run.modelId, (many.get(run.modelId) ?? 0) + 1);
  }
  const seen = new Map<string, number>();
  const labels = new Map<string, string>();
  for (const run of runs) {
    const n = (seen.get(run.modelId) ?? 0) + 1;
    seen.set(run.modelId, n);
    const name = modelName(model, run.modelId);
    labels.set(run.runId, many.get(run.modelId)! > 1 ? `${name} ${n}` : name);
  }
  return labels;
}

export function modelName(model: ProjectModel, modelId: string): string {
  return model.models.find(m => m.id === modelId)?.name ?? modelId;
}

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
  return [...names].sort((a, b) => Number(b === primary) - Number(a === primary) || a.localeCompare(b));
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
    <div class="jppl-curves">
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
  useEffect(() => {
    const live = new LiveChart(place.current!, large ? 300 : 170, setHover);
    chart.current = live;
    let drawn = -1;
    const stop = model.subscribe(() => {
      if (drawn !== model.seriesVersion) {
        drawn = model.seriesVersion;
        live.draw();
      }
    });
    const restyle = (): void => {
      live.readTheme();
      live.draw();
    };
    const theme = new MutationObserver(restyle);
    theme.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name', 'class']
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
  const labels = runLabels(model);
  const best = model.bestRun;
  const runs = model.shownRuns();
  const few = runs.length <= 3;
  const lines: Line[] = [];
  for (const run of runs) {
    const val = run.series.get(`${metric}/val`);
    const train = run.series.get(`${metric}/train`);
    if (!val && !train) {
      continue;
    }
    const running = run.status === 'running';
    const weight = run.runId === pointed || (pointed === null && run.runId === best) ? 2 : running || few ? 1 : 0;
    lines.push({
      id: run.runId,
      label: labels.get(run.runId) ?? run.runId,
      colour: colourVariable(colourIndex(model, run.modelId)),
      weight,
      rank: model.leaderboard.findIndex(row => row.run_id === run.runId) >>> 0,
      val,
      train,
      withTrain: weight === 2 || few || (running && model.runningRuns().length <= 2)
    });
  }
  const signature = lines.map(l => `${l.id}:${l.weight}:${l.colour}:${l.val ? 1 : 0}${l.train && l.withTrain ? 1 : 0}`).join();
  const growing = runs.some(run => run.status === 'running');
  useEffect(() => chart.current?.setLines(lines, growing), [signature, growing, metric, large]);
  const name = metricName(metric);
  const label = name.toLowerCase() === metric ? name : `${name} (${metric})`;
  return (
    <figure class={`jppl-curve ${large ? 'jppl-large' : ''}`} aria-label={label}>
      <figcaption>
        <strong>{name}</strong>
        {lowerIsBetter(metric) ? (
          <span class="jppl-muted"> {trans.__('less is better')}</span>
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
          {trans.__('validation %1', number(hover.val))}
          {Number.isFinite(hover.train) ? `, ${trans.__('training %1', number(hover.train))}` : ''}
        </div>
      ) : null}
    </figure>
  );
}

/** How far the training is: against its time budget, and the runs that are at work. */
export function TrainingProgress() {
  const { model, trans, command } = useView();
  useNumbers(model, 250);
  const now = useNow(model.stages.TRAIN.status === 'IN_PROGRESS');
  const stage = model.stages.TRAIN;
  if (stage.status !== 'IN_PROGRESS') {
    return null;
  }
  const labels = runLabels(model);
  const running = model.runningRuns();
  const done = [...model.shown].filter(id => model.runs.get(id)?.status === 'success').length;
  const budget = model.stages.MODEL_SELECT.plan?.time_budget_s;
  const spent = stage.startedTs === null ? 0 : Math.max(0, (now - stage.startedTs) / 1000);
  const use = model.resources;
  return (
    <div class="jppl-progress">
      <div class="jppl-stats">
        <Stat label={trans.__('Time')} value={duration(spent)} />
        {typeof budget === 'number' ? <Stat label={trans.__('Budget')} value={duration(budget)} /> : null}
        <Stat label={trans.__('Runs done')} value={String(done)} />
        {use ? <Stat label={trans.__('CPU')} value={`${Math.round(use.cpuPct)} %`} /> : null}
        {use ? <Stat label={trans.__('Memory')} value={bytes(use.ramMb * 1048576)} /> : null}
        {use && use.gpuPct !== null ? <Stat label={trans.__('GPU')} value={`${Math.round(use.gpuPct)} %`} /> : null}
        {use && use.stepPerSec ? (
          <Stat label={trans.__('Steps a second')} value={number(use.stepPerSec, 2)} />
        ) : null}
      </div>
      {running.map(run => {
        const label = labels.get(run.runId) ?? run.runId;
        const eta = run.etaS === null ? '' : trans.__('about %1 left', duration(Math.max(0, run.etaS)));
        return (
          <div class="jppl-run" key={run.runId}>
            <span class="jppl-swatch" style={{ background: colourOf(model, run.modelId) }} />
            <span class="jppl-run-name">{label}</span>
            <Meter value={run.pct} label={label} />
            <span class="jppl-num">{percent(run.pct)}</span>
            <span class="jppl-muted jppl-run-what">
              {phaseName(run.phase)}
              {eta ? `, ${eta}` : ''}
            </span>
            <button
              type="button"
              class="jppl-link"
              title={trans.__('Cancel this run; the others go on')}
              aria-label={trans.__('Skip %1', label)}
              onClick={() => command('cancel_run', { run_id: run.runId })}
            >
              {trans.__('Skip')}
            </button>
          </div>
        );
      })}
    </div>
  );

  function phaseName(phase: string): string {
    switch (phase) {
      case 'init':
        return trans.__('begins');
      case 'fit':
        return trans.__('fits');
      case 'eval':
        return trans.__('is evaluated');
      case 'finalize':
        return trans.__('is saved');
      default:
        return phase;
    }
  }
}

export function Stat({ label, value }: { label: string; value: string }) {
  return (
    <div class="jppl-stat">
      <span class="jppl-stat-value">{value}</span>
      <span class="jppl-stat-label">{label}</span>
    </div>
  );
}

type Key = 'model' | 'metric' | 'runtime_s' | 'status';

/** All runs, best first; sortable by its heads. */
export function Leaderboard({
  onPoint,
  kept,
  onKeep
}: {
  onPoint?: (runId: string | null) => void;
  kept?: string | null;
  onKeep?: (runId: string) => void;
}) {
  const { model, trans } = useView();
  const [sort, setSort] = useState<{ key: Key; up: boolean } | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const labels = useMemo(() => runLabels(model), [model.structureVersion]);
  const known = new Set(model.leaderboard.map(row => row.run_id));
  // A run that is at work, or ended without a place, belongs into the table too.
  const others: LeaderboardRow[] = model
    .shownRuns()
    .filter(run => !known.has(run.runId))
    .map(run => ({
      run_id: run.runId,
      model: run.modelId,
      params: run.config.params ?? {},
      metric: null,
      runtime_s: run.endedTs === null ? NaN : (run.endedTs - run.startedTs) / 1000,
      status: run.status,
      reason: run.reason || undefined
    }));
  const rows = [...model.leaderboard, ...others];
  if (rows.length === 0) {
    return null;
  }
  const lower = lowerIsBetter(model.primaryMetric);
  if (sort) {
    const sign = sort.up ? 1 : -1;
    rows.sort((a, b) => {
      const x = sort.key === 'model' ? (labels.get(a.run_id) ?? a.model) : a[sort.key];
      const y = sort.key === 'model' ? (labels.get(b.run_id) ?? b.model) : b[sort.key];
      if (typeof x === 'string' && typeof y === 'string') {
        return sign * x.localeCompare(y);
      }
      const missing = Number(!isNumber(x)) - Number(!isNumber(y));
      return missing || sign * (Number(x) - Number(y));
    });
  }
  const best = model.bestRun;
  const shown = all ? rows : rows.slice(0, 12);
  const metric = metricName(model.primaryMetric);
  const head = (key: Key, text: string, numeric: boolean) => {
    const active = sort?.key === key;
    return (
      <th
        scope="col"
        class={numeric ? 'jppl-numeric' : ''}
        aria-sort={active ? (sort!.up ? 'ascending' : 'descending') : 'none'}
      >
        <button
          type="button"
          class="jppl-sort"
          onClick={() =>
            setSort(active ? { key, up: !sort!.up } : { key, up: key === 'metric' ? lower : true })
          }
        >
          {text}
          <Icon name={active ? (sort!.up ? 'up' : 'down') : 'sort'} />
        </button>
      </th>
    );
  };
  return (
    <div class="jppl-scroll">
      <table class="jppl-table jppl-leaderboard" aria-label={trans.__('Leaderboard')}>
        <thead>
          <tr>
            {onKeep ? <th scope="col">{trans.__('Keep')}</th> : null}
            {head('model', trans.__('Model'), false)}
            {head('metric', trans.__('%1, validation', metric), true)}
            {head('runtime_s', trans.__('Time'), true)}
            {head('status', trans.__('Status'), false)}
          </tr>
        </thead>
        <tbody>
          {shown.map(row => {
            const run = model.runs.get(row.run_id);
            const label = labels.get(row.run_id) ?? modelName(model, row.model);
            const isBest = row.run_id === best;
            const expanded = open === row.run_id;
            const detail = `jppl-${model.projectId}-${row.run_id}`;
            return (
              <>
                <tr
                  key={row.run_id}
                  class={`${isBest ? 'jppl-best' : ''} ${row.status === 'failed' ? 'jppl-bad' : ''}`}
                  onMouseEnter={() => onPoint?.(row.run_id)}
                  onMouseLeave={() => onPoint?.(null)}
                >
                  {onKeep ? (
                    <td>
                      <input
                        type="radio"
                        name={`jppl-keep-${model.projectId}`}
                        aria-label={trans.__('Keep %1', label)}
                        checked={row.run_id === kept}
                        disabled={row.status !== 'success'}
                        onChange={() => onKeep(row.run_id)}
                      />
                    </td>
                  ) : null}
                  <th scope="row">
                    <button
                      type="button"
                      class="jppl-row-button"
                      aria-expanded={expanded}
                      aria-controls={expanded ? detail : undefined}
                      onClick={() => setOpen(expanded ? null : row.run_id)}
                      onFocus={() => onPoint?.(row.run_id)}
                      onBlur={() => onPoint?.(null)}
                    >
                      <span class="jppl-swatch" style={{ background: colourOf(model, row.model) }} />
                      {label}
                    </button>
                    {isBest ? <span class="jppl-badge">{trans.__('best')}</span> : null}
                  </th>
                  <td class="jppl-numeric">{number(row.metric)}</td>
                  <td class="jppl-numeric">{isNumber(row.runtime_s) ? duration(row.runtime_s) : ''}</td>
                  <td>
                    <span class={`jppl-status jppl-status-${row.status}`}>{runStatus(row.status)}</span>
                    {row.reason ? <span class="jppl-reason">{row.reason}</span> : null}
                  </td>
                </tr>
                {expanded ? (
                  <tr class="jppl-detail" id={detail}>
                    <td colSpan={onKeep ? 5 : 4}>
                      <RunDetail row={row} run={run} />
                    </td>
                  </tr>
                ) : null}
              </>
            );
          })}
        </tbody>
      </table>
      {rows.length > 12 ? (
        <button type="button" class="jppl-link" onClick={() => setAll(!all)}>
          {all ? trans.__('Show the first 12') : trans.__('Show all %1 runs', rows.length)}
        </button>
      ) : null}
    </div>
  );

  function runStatus(status: string): string {
    switch (status) {
      case 'success':
        return trans.__('done');
      case 'failed':
        return trans.__('failed');
      case 'cancelled':
        return trans.__('cancelled');
      case 'running':
        return trans.__('running');
      default:
        return status;
    }
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function RunDetail({ row, run }: { row: LeaderboardRow; run: Run | undefined }) {
  const { trans } = useView();
  const params = Object.entries(row.params ?? {});
  const finals = run?.final.filter(m => m.split === 'val') ?? [];
  return (
    <div class="jppl-run-detail">
      <dl class="jppl-facts">
        {finals.map(m => (
          <div key={m.name}>
            <dt>{metricName(m.name)}</dt>
            <dd class="jppl-num">{number(m.value)}</dd>
          </div>
        ))}
        {params.map(([name, value]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd class="jppl-num">{typeof value === 'number' ? number(value) : String(value)}</dd>
          </div>
        ))}
      </dl>
      {params.length === 0 ? <p class="jppl-muted">{trans.__('With default parameters.')}</p> : null}
      <p class="jppl-muted">
        <code>{row.run_id}</code>
      </p>
    </div>
  );
}
