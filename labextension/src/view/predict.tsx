/** Try a prediction: a row typed into a form, and what the model says of it. */

import { useState } from 'preact/hooks';
import { messageOf } from '../client/sentences';
import { useView } from './context';
import { Bars } from './figures';
import type { Sample } from './gates/request';
import type { Predictions, Row } from './options';
import { Field, Missing, onWheel, SendButton, useJson } from './parts';
import { compact, number, percent } from './numbers';

type Value = Row[string];

/** Columns that have a box; the others keep what the example has. */
const SHOWN = 60;
const NUMERIC = /int|float|decimal|double|number/i;

export function PredictForm() {
  const { model, rest, trans, uid } = useView();
  const sample = useJson<Sample>(model.sample?.url ?? null);
  const [typed, setTyped] = useState<ReadonlyMap<string, string>>(new Map());
  const [from, setFrom] = useState(0);
  const [state, setState] = useState<'idle' | 'busy' | { message: string } | { row: string; said: Predictions }>('idle');
  if (sample?.state !== 'ready') {
    return sample?.state === 'failed' ? <Missing of={sample} /> : null;
  }
  const roles: Record<string, string> = model.stages.PROFILE_DATA.plan?.roles ?? {};
  const treatments: Record<string, string> = model.stages.PREPROCESS.plan?.columns ?? {};
  const columns = sample.value.columns.filter(c => roles[c.name] === 'feature' && treatments[c.name] !== 'drop');
  const rows = sample.value.rows;
  const example = rows[from % Math.max(1, rows.length)] ?? {};
  const { target, positive_class: positive } = model.stages.DATA_SOURCE.plan ?? {};
  const threshold = model.stages.TRAIN.plan?.threshold;
  const textOf = (name: string): string => typed.get(name) ?? shown(example[name]);
  const type = (name: string, text: string): void => setTyped(new Map(typed).set(name, text));
  // What was not typed is as it is in the data, however few digits of it are shown.
  const row: Row = Object.fromEntries(
    columns.map(({ name, dtype }) => [name, typed.has(name) ? read(typed.get(name)!, dtype) : ((example[name] as Value) ?? null)])
  );
  const asked = JSON.stringify(row);
  const busy = state === 'busy';
  const submit = (event: Event): void => {
    event.preventDefault();
    if (busy) {
      return;
    }
    setState('busy');
    rest.predict([row]).then(
      said => setState({ row: asked, said }),
      error => setState({ message: messageOf(error, trans) })
    );
  };
  return (
    <form class="jppl-predict" onSubmit={submit}>
      <div class="jppl-form">
        {columns.slice(0, SHOWN).map(({ name, dtype }, i) => {
          const numeric = NUMERIC.test(dtype);
          const values = numeric ? [] : [...new Set(rows.map(r => r[name]).filter(v => v != null))].slice(0, 40);
          const list = `${uid}-values-${i}`;
          return (
            <Field key={name} label={name}>
              {/bool/i.test(dtype) ? (
                <input
                  type="checkbox"
                  checked={textOf(name) === 'true'}
                  onChange={e => type(name, String(e.currentTarget.checked))}
                />
              ) : (
                <input
                  class={`jppl-input ${numeric ? 'jppl-numeric' : ''}`}
                  type={numeric ? 'number' : 'text'}
                  step="any"
                  value={textOf(name)}
                  list={values.length ? list : undefined}
                  placeholder={trans.__('missing')}
                  onWheel={numeric ? onWheel : undefined}
                  onInput={e => type(name, e.currentTarget.value)}
                />
              )}
              {values.length ? (
                <datalist id={list}>
                  {values.map(v => (
                    <option key={String(v)} value={String(v)} />
                  ))}
                </datalist>
              ) : null}
            </Field>
          );
        })}
      </div>
      {columns.length > SHOWN ? (
        <p class="jppl-hint">
          {trans._n(
            '%1 more column has the value of the row that you see.',
            '%1 more columns have the values of the row that you see.',
            columns.length - SHOWN
          )}
        </p>
      ) : null}
      <div class="jppl-actions">
        <SendButton type="submit" look="jppl-button jppl-primary-button" busy={busy}>
          {busy ? trans.__('Predicting…') : trans.__('Predict')}
        </SendButton>
        {rows.length > 1 ? (
          <button
            type="button"
            class="jppl-button"
            onClick={() => {
              setFrom(from + 1);
              setTyped(new Map());
              setState('idle');
            }}
          >
            {trans.__('Another row of the data')}
          </button>
        ) : null}
      </div>
      <div role="status">
        {typeof state === 'object' && 'said' in state && state.row === asked ? (
          <div class="jppl-prediction">
            <div>
              <span class="jppl-muted">{target}</span>
              <strong class="jppl-predicted">
                {/* A class may be a number too, but is none to round. */}
                {typeof state.said.predictions[0] === 'number' && !state.said.probabilities
                  ? number(state.said.predictions[0])
                  : String(state.said.predictions[0])}
              </strong>
            </div>
            {state.said.probabilities ? (
              <Bars
                label={trans.__('Probabilities')}
                bars={state.said.probabilities.classes
                  .map((c, i) => ({
                    name: String(c),
                    value: state.said.probabilities!.values[0][i],
                    text: percent(state.said.probabilities!.values[0][i], 1)
                  }))
                  .sort((a, b) => b.value - a.value)
                  .slice(0, 10)}
              />
            ) : null}
            {/* Why it may be another class than the likeliest. */}
            {state.said.probabilities && typeof threshold === 'number' && threshold !== 0.5 ? (
              <p class="jppl-hint">{trans.__('“%1” from a probability of %2.', positive, number(threshold, 3))}</p>
            ) : null}
            {Object.entries(state.said.notes ?? {}).map(([name, note]) => (
              <p key={name} class="jppl-note">
                {note}
              </p>
            ))}
          </div>
        ) : null}
      </div>
      {typeof state === 'object' && 'message' in state ? (
        <p class="jppl-note jppl-note-bad" role="alert">
          {state.message}
        </p>
      ) : null}
    </form>
  );
}

function shown(value: unknown): string {
  return value == null ? '' : typeof value === 'number' && !Number.isInteger(value) ? compact(value, 6) : String(value);
}

/** What was typed, as a value of its column. */
function read(text: string, dtype: string): Value {
  if (text === '') {
    return null;
  }
  if (NUMERIC.test(dtype) && Number.isFinite(Number(text))) {
    return Number(text);
  }
  return /bool/i.test(dtype) ? text === 'true' : text;
}
