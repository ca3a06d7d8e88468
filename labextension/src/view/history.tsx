/** What was decided, by whom and when; and what the stages logged. */

import { Fragment } from 'preact';
import type { Translation } from '../translation';
import { useView } from './context';
import type { ProjectModel } from './model';
import { compact, dateTime, duration } from './numbers';
import { partsOf } from './patch';
import type { HistoryEntry, Json } from './records';
import { modelName } from './runs';
import { metricName, stageName } from './words';

export function History() {
  const { model, trans } = useView();
  const entries = [...model.history].reverse().slice(0, 100);
  if (entries.length === 0) {
    return <p class="jppl-muted">{trans.__('Nothing was decided yet.')}</p>;
  }
  return (
    <ol class="jppl-history">
      {entries.map(entry => (
        <li key={entry.seq}>
          <time dateTime={new Date(entry.ts).toISOString()}>{dateTime(entry.ts)}</time>
          <div>
            <strong>{entry.by?.name ?? trans.__('Somebody')}</strong> {what(entry)}
            {entry.kind === 'changed' ? <Changes patch={entry.patch ?? []} /> : null}
            {entry.kind === 'confirmed' && entry.plan ? (
              <details class="jppl-details">
                <summary>{trans.__('the plan')}</summary>
                <dl class="jppl-decided">
                  {Object.entries(entry.plan).map(([key, value]) => (
                    <Fragment key={key}>
                      <dt>{labelOf(key)}</dt>
                      <dd>{inWords(key, value, model, trans)}</dd>
                    </Fragment>
                  ))}
                </dl>
              </details>
            ) : null}
          </div>
        </li>
      ))}
    </ol>
  );

  function what(entry: HistoryEntry): string {
    const stage = stageName(entry.stageId, trans);
    switch (entry.kind) {
      case 'confirmed':
        return trans.__('confirmed %1', stage);
      case 'changed':
        return trans.__('changed %1', stage);
      case 'restarted':
        return trans.__('had %1 work again', stage);
      case 'cancelled':
        return trans.__('cancelled %1', stage);
      case 'finishing':
        return trans.__('let %1 finish with the best so far', stage);
      case 'attached':
        return entry.text.charAt(0).toLowerCase() + entry.text.slice(1);
    }
  }
}

function Changes({ patch }: { patch: Json[] }) {
  const { model, trans } = useView();
  const lines = changeLines(patch, model, trans);
  return lines.length ? (
    <ul class="jppl-changes">
      {lines.slice(0, 8).map((line, i) => (
        <li key={i}>{line}</li>
      ))}
      {lines.length > 8 ? <li>{trans.__('and %1 more', lines.length - 8)}</li> : null}
    </ul>
  ) : null;
}

/** A patch in words; what many members were set to at once stands once. */
function changeLines(patch: Json[], model: ProjectModel, trans: Translation): string[] {
  const lines = new Map<string, { names: string[]; value: string }>();
  for (const op of patch) {
    const [member, ...more] = partsOf(String(op.path ?? ''));
    const value = op.op === 'remove' ? ' –' : `: ${inWords(more.length ? '' : member, op.value, model, trans)}`;
    const key = JSON.stringify(more.length === 1 ? [member, value] : [member, ...more, lines.size]);
    const line = lines.get(key) ?? { names: [labelOf(member)], value };
    line.names.push(...more);
    lines.set(key, line);
  }
  return [...lines.values()].map(({ names, value }) => {
    const more = names.length - 1 > MOST ? ` + ${names.length - 1 - MOST}` : '';
    return names.slice(0, MOST + 1).join(', ') + more + value;
  });
}

/** A member's name as words; its unit stands with the value. */
function labelOf(member: string): string {
  return member.replace(/_s$/, '').replace(/_/g, ' ');
}

/** Members of long lists and objects that are written out. */
const MOST = 30;

/** A value of a plan in one line; models and metrics by their names. */
function inWords(member: string, value: Json, model: ProjectModel, trans: Translation): string {
  if (value === null || value === undefined) {
    return '–';
  }
  if (typeof value === 'number') {
    return member === 'time_budget_s' ? duration(value) : compact(value);
  }
  if (typeof value === 'boolean') {
    return value ? trans.__('yes') : trans.__('no');
  }
  if (Array.isArray(value)) {
    const more = value.length > MOST ? ` + ${value.length - MOST}` : '';
    return value.slice(0, MOST).map(item => inWords(member, item, model, trans)).join(', ') + more || '–';
  }
  if (typeof value === 'object') {
    if (member === 'models') {
      const params = Object.entries(value.params ?? {}).map(([name, v]) => `${name} ${inWords('', v, model, trans)}`);
      return modelName(model, String(value.id)) + (params.length ? ` (${params.join(', ')})` : '');
    }
    const entries = Object.entries(value).filter(([, v]) => v !== null);
    const more = entries.length > MOST ? ` + ${entries.length - MOST}` : '';
    const shown = entries.slice(0, MOST).map(([key, v]) => `${key} ${inWords('', v, model, trans)}`);
    return shown.join(', ') + more || '–';
  }
  switch (member) {
    case 'metric':
      return metricName(value, trans);
    case 'include_models':
    case 'exclude_models':
      return modelName(model, value);
    case 'keep': {
      const run = model.runs.get(value);
      return run ? `${modelName(model, run.modelId)} (${value})` : value;
    }
    default:
      return String(value);
  }
}

export function Log() {
  const { model, trans } = useView();
  const lines = model.log.slice(-150);
  return lines.length ? (
    <ol class="jppl-log" tabIndex={0} aria-label={trans.__('Log')}>
      {lines.map(line => (
        <li key={line.seq} class={`jppl-level-${line.level}`}>
          {line.runId === 'pipeline' ? '' : `${line.runId}: `}
          {line.text}
        </li>
      ))}
    </ol>
  ) : null;
}
