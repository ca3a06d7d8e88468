/** What was decided, by whom and when; and what the stages logged. */

import { Fragment } from 'preact';
import { memberName, stageName } from '../protocol/names';
import { useView } from './context';
import { dateTime } from './numbers';
import { Details, HERE, Sentence } from './parts';
import { changesInWords, inWords } from './planwords';
import type { HistoryEntry, Json, Plan } from './records';

/** Changes of one moment that are written out. */
const LINES = 8;

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
            <Sentence text={what(entry)}>
              <strong>{entry.by?.name ?? trans.__('Somebody')}</strong>
            </Sentence>
            {entry.patch?.length ? <Changes patch={entry.patch} /> : null}
            {entry.kind === 'confirmed' && entry.plan ? (
              <Details summary={trans.__('the plan')}>
                <Decided plan={entry.plan} />
              </Details>
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
        return trans.__('%1 confirmed %2', HERE, stage);
      case 'changed':
        return trans.__('%1 changed %2', HERE, stage);
      case 'restarted':
        return trans.__('%1 ran %2 again', HERE, stage);
      case 'cancelled':
        return trans.__('%1 cancelled %2', HERE, stage);
      case 'finishing':
        return trans.__('%1 let %2 finish with the best so far', HERE, stage);
      case 'attached':
        return trans.__('%1: %2', HERE, entry.text);
    }
  }
}

function Decided({ plan }: { plan: Plan }) {
  const { model, trans } = useView();
  return (
    <dl class="jppl-decided">
      {Object.entries(plan).map(([key, value]) => (
        <Fragment key={key}>
          <dt>{memberName(key, trans)}</dt>
          <dd>{inWords(key, value, model, trans)}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Changes({ patch }: { patch: Json[] }) {
  const { model, trans } = useView();
  const lines = changesInWords(patch, model, trans);
  return lines.length ? (
    <ul class="jppl-changes">
      {lines.slice(0, LINES).map((line, i) => (
        <li key={i}>{line}</li>
      ))}
      {lines.length > LINES ? <li>{trans.__('and %1 more', lines.length - LINES)}</li> : null}
    </ul>
  ) : null;
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
