/** What was decided, by whom and when; and what the stages logged. */

import type { Translation } from '../translation';
import { useView } from './context';
import type { HistoryEntry, Json } from './records';
import { dateTime, number } from './numbers';
import { stageName } from './words';

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
                <dl class="jppl-facts">
                  {Object.entries(entry.plan).map(([key, value]) => (
                    <div key={key}>
                      <dt>{key.replace(/_/g, ' ')}</dt>
                      <dd>{plain(value, trans)}</dd>
                    </div>
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
  const { trans } = useView();
  return patch.length ? (
    <ul class="jppl-changes">
      {patch.slice(0, 8).map((op, i) => (
        <li key={i}>
          {String(op.path ?? '')
            .slice(1)
            .replace(/\//g, ', ')
            .replace(/_/g, ' ')
            .replace(/~1/g, '/')
            .replace(/~0/g, '~')}
          {op.op === 'remove' ? ' –' : `: ${plain(op.value, trans)}`}
        </li>
      ))}
    </ul>
  ) : null;
}

/** A value of a plan in one line. */
function plain(value: Json, trans: Translation): string {
  if (value === null || value === undefined) {
    return '–';
  }
  if (typeof value === 'number') {
    return number(value);
  }
  if (typeof value === 'boolean') {
    return value ? trans.__('yes') : trans.__('no');
  }
  if (Array.isArray(value)) {
    return value.slice(0, 30).map(item => plain(item, trans)).join(', ') || '–';
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    if ('id' in value && Object.keys(value.params ?? {}).length === 0) {
      return String(value.id);
    }
    const more = entries.length > 30 ? ` + ${entries.length - 30}` : '';
    return (
      entries
        .slice(0, 30)
        .map(([k, v]) => `${k} ${plain(v, trans)}`)
        .join(', ') + more
    );
  }
  return String(value);
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
