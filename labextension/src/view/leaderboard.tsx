/** All runs in a table, the best marked, failures explained. */

import { Fragment } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { metricName, runStatusName } from '../protocol/names';
import type { Translation } from '../translation';
import { modelColour } from './colours';
import { useNumbers, useView } from './context';
import { compact, duration, number, percent } from './numbers';
import { SortHead } from './parts';
import type { LeaderboardRow, Run } from './records';
import { modelName, runLabels } from './runs';
import { lowerIsBetter } from './words';

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
  const { model, trans, uid } = useView();
  const [sort, setSort] = useState<{ key: Key; up: boolean } | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const labels = useMemo(() => runLabels(model, trans), [model.structureVersion]);
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
  const metric = metricName(model.primaryMetric, trans);
  const withSettings = rows.some(row => Object.keys(row.params ?? {}).length > 0);
  const columns = 4 + Number(withSettings) + Number(Boolean(onKeep));
  const head = (key: Key, text: string, numeric: boolean) => {
    const active = sort?.key === key;
    return (
      <SortHead
        text={text}
        look={numeric ? 'jppl-numeric' : ''}
        order={active ? (sort!.up ? 'ascending' : 'descending') : 'none'}
        onSort={() => setSort(active ? { key, up: !sort!.up } : { key, up: key === 'metric' ? lower : true })}
      />
    );
  };
  return (
    <div class="jppl-scroll">
      <table class="jppl-table jppl-leaderboard" aria-label={trans.__('Leaderboard')}>
        <thead>
          <tr>
            {onKeep ? <th scope="col">{trans.__('Keep')}</th> : null}
            {head('model', trans.__('Model'), false)}
            {withSettings ? (
              <th scope="col" class="jppl-wide">
                {trans.__('Settings')}
              </th>
            ) : null}
            {head('metric', trans.__('%1, validation', metric), true)}
            {head('runtime_s', trans.__('Time'), true)}
            {head('status', trans.__('Status'), false)}
          </tr>
        </thead>
        <tbody>
          {shown.map(row => {
            const run = model.runs.get(row.run_id);
            const label = labels.get(row.run_id) ?? modelName(model, row.model, trans);
            const isBest = row.run_id === best;
            const expanded = open === row.run_id;
            const detail = `${uid}-${row.run_id}`;
            return (
              <Fragment key={row.run_id}>
                <tr
                  class={`${isBest ? 'jppl-best' : ''} ${row.status === 'failed' ? 'jppl-bad' : ''}`}
                  // Where the pointer is moved, not where a row appears below it.
                  onMouseMove={e => (e.movementX || e.movementY) && onPoint?.(row.run_id)}
                  onMouseLeave={() => onPoint?.(null)}
                >
                  {onKeep ? (
                    <td>
                      <input
                        type="radio"
                        name={`${uid}-keep`}
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
                      <span class="jppl-swatch" style={{ background: `var(${modelColour(model, row.model)})` }} />
                      {label}
                    </button>
                    {isBest ? <span class="jppl-badge">{trans.__('best')}</span> : null}
                  </th>
                  {withSettings ? (
                    <td class="jppl-wide jppl-settings">{settings(row, labels, trans)}</td>
                  ) : null}
                  <td class="jppl-numeric">
                    {run && row.metric === null && run.status === 'running' ? <SoFar run={run} /> : number(row.metric)}
                  </td>
                  <td class="jppl-numeric">{isNumber(row.runtime_s) ? duration(row.runtime_s) : ''}</td>
                  <td>
                    {/* "cancelled by somebody" says it all. */}
                    {row.reason?.startsWith(row.status) ? null : (
                      <span class={`jppl-status jppl-status-${row.status}`}>{runStatusName(row.status, trans)}</span>
                    )}
                    {row.reason ? <span class="jppl-reason">{row.reason}</span> : null}
                  </td>
                </tr>
                {expanded ? (
                  <tr class="jppl-detail" id={detail}>
                    <td colSpan={columns}>
                      <RunDetail row={row} run={run} labels={labels} />
                    </td>
                  </tr>
                ) : null}
              </Fragment>
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
}

/** What a run that goes on came to so far. */
function SoFar({ run }: { run: Run }) {
  const { model, trans } = useView();
  useNumbers(model, 500);
  const last = run.series.get(`${run.metric}/val`)?.last;
  return (
    <span class="jppl-muted" title={trans.__('So far')}>
      {number(last)}
    </span>
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function RunDetail({
  row,
  run,
  labels
}: {
  row: LeaderboardRow;
  run: Run | undefined;
  labels: ReadonlyMap<string, string>;
}) {
  const { trans } = useView();
  const params = Object.entries(row.params ?? {});
  const finals = run?.final.filter(m => m.split === 'val') ?? [];
  return (
    <div class="jppl-run-detail">
      <dl class="jppl-facts">
        {finals.map(m => (
          <div key={m.name}>
            <dt>{metricName(m.name, trans)}</dt>
            <dd class="jppl-num">{number(m.value)}</dd>
          </div>
        ))}
      </dl>
      <p class="jppl-muted">
        {params.length === 0
          ? trans.__('With default parameters.')
          : params.some(([name]) => labels.has(name))
            ? trans.__('Averages, with these weights:')
            : trans.__('With these parameters:')}
      </p>
      {params.length ? (
        <dl class="jppl-facts">
          {params.map(([name, value]) => (
            <div key={name}>
              <dt>{labels.get(name) ?? <code>{name}</code>}</dt>
              <dd class="jppl-num">{paramText(name, value, labels)}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      <p class="jppl-muted">
        <code>{row.run_id}</code>
      </p>
    </div>
  );
}

/** What a run was told, in one line, so that runs of one model can be told apart. */
function settings(row: LeaderboardRow, labels: ReadonlyMap<string, string>, trans: Translation): string {
  const params = Object.entries(row.params ?? {});
  return params.length === 0
    ? trans.__('defaults')
    : params.map(([name, value]) => `${labels.get(name) ?? name} ${paramText(name, value, labels)}`).join(', ');
}

/** A parameter's value; of an ensemble, whose parameters are the runs that it averages, their weights. */
function paramText(name: string, value: unknown, labels: ReadonlyMap<string, string>): string {
  if (typeof value === 'number') {
    return labels.has(name) ? percent(value) : compact(value);
  }
  return String(value)
    .split(', ')
    .map(part => labels.get(part) ?? part)
    .join(', ');
}
