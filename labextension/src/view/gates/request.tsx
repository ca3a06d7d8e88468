/** What the person wants, which data, and what goes into the bundle. */

import { memberName, metricName, MODELS, preferenceName, taskName } from '../../protocol/names';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { Translation } from '../../translation';
import { useView } from '../context';
import type { Dataset } from '../records';
import { Details, Field, Icon, Missing, NumberBox, Section, Select, useJson } from '../parts';
import { bytes, compact, count } from '../numbers';
import { modelName } from '../runs';
import { CLASSIFICATION_METRICS, REGRESSION_METRICS } from '../words';
import type { PlanForm } from './form';

export function metricOptions(task: string, auto: boolean, trans: Translation): [string, string][] {
  const names =
    task === 'regression'
      ? REGRESSION_METRICS
      : task === 'auto'
        ? [...CLASSIFICATION_METRICS, ...REGRESSION_METRICS]
        : CLASSIFICATION_METRICS;
  const options = names.map((id): [string, string] => [id, metricName(id, trans)]);
  return auto ? [['auto', metricName('auto', trans)], ...options] : options;
}

export function IntentForm(form: PlanForm) {
  const { plan, set } = form;
  const { model, trans, uid } = useView();
  // While the conversation is short the request stands there.
  const prompt = model.chat.length > 4 ? model.chat.find(line => line.source === 'user')?.text : undefined;
  return (
    <>
      {prompt ? <blockquote class="jppl-quote" dir="auto">{prompt}</blockquote> : null}
      {plan.not_understood?.length ? (
        <p class="jppl-note jppl-note-warn">{trans.__('Not understood: %1', plan.not_understood.join('; '))}</p>
      ) : null}
      <div class="jppl-form">
        <Field label={trans.__('Task')}>
          <Select
            value={plan.task_type}
            options={['auto', 'classification', 'binary', 'multiclass', 'regression'].map(id => [id, taskName(id, trans)] as const)}
            onChange={value => set(['task_type'], value)}
          />
        </Field>
        <Field label={trans.__('Target')} hint={trans.__('The column to predict; empty: the data will suggest one.')}>
          <input
            class="jppl-input"
            type="text"
            value={plan.target ?? ''}
            list={`${uid}-columns`}
            onInput={e => set(['target'], e.currentTarget.value || null)}
            // Not while it is typed: a space at the end is what the next word begins with.
            onChange={e => set(['target'], e.currentTarget.value.trim() || null)}
          />
          <ColumnList />
        </Field>
        <Field label={trans.__('Judged by')}>
          <Select
            value={plan.metric}
            options={metricOptions(plan.task_type, true, trans)}
            onChange={value => set(['metric'], value)}
          />
        </Field>
        <Field label={trans.__('Time for training, in seconds')}>
          <NumberBox
            value={plan.time_budget_s}
            min={0}
            max={604800}
            required
            onChange={value => set(['time_budget_s'], value)}
          />
        </Field>
        <Field label={trans.__('Cares most about')}>
          <Select
            value={plan.prefer}
            options={['balanced', 'accuracy', 'speed', 'interpretability'].map(id => [id, preferenceName(id, trans)] as const)}
            onChange={value => set(['prefer'], value)}
          />
        </Field>
        <ModelSet form={form} member="include_models" other="exclude_models" add={trans.__('add a model')} />
        <ModelSet form={form} member="exclude_models" other="include_models" add={trans.__('leave a model out')} />
        <ColumnSet form={form} member="include_columns" other="exclude_columns" add={trans.__('add a column')} />
        <ColumnSet form={form} member="exclude_columns" other="include_columns" add={trans.__('leave a column out')} />
      </div>
    </>
  );
}

function ColumnList() {
  const { model, uid } = useView();
  return (
    <datalist id={`${uid}-columns`}>
      {model.columns.slice(0, 1000).map(column => (
        <option key={column} value={column} />
      ))}
    </datalist>
  );
}

type Set = 'include_models' | 'exclude_models' | 'include_columns' | 'exclude_columns';

interface SetProps {
  form: PlanForm;
  member: Set;
  /** What is taken into the one goes out of the other. */
  other: Set;
  add: string;
}

/** Models that are wanted, or not wanted. */
function ModelSet({ form, member, other, add }: SetProps) {
  const { model, trans } = useView();
  const name = (id: string): string => modelName(model, id, trans);
  return (
    <Picked form={form} member={member} other={other} name={name}>
      {(label, ids, take) => (
        <Select
          label={trans.__('%1: %2', label, add)}
          value=""
          options={[['', add], ...MODELS.filter(id => !ids.includes(id)).map(id => [id, name(id)] as const)]}
          onChange={id => id && take(id)}
        />
      )}
    </Picked>
  );
}

/** Columns that alone are used, or are left out, by any name: the data say whether they have them. */
function ColumnSet({ form, member, other, add }: SetProps) {
  const { trans, uid } = useView();
  return form.plan[member] === undefined ? null : (
    <Picked form={form} member={member} other={other} name={id => id}>
      {(label, _, take) => (
        <input
          class="jppl-input"
          type="text"
          placeholder={add}
          aria-label={trans.__('%1: %2', label, add)}
          list={`${uid}-columns`}
          onChange={e => {
            take(e.currentTarget.value.trim());
            e.currentTarget.value = '';
          }}
        />
      )}
    </Picked>
  );
}

/** What was picked, each with a button that takes it out again; one is never in a set and its other. */
function Picked({
  form: { plan, set, setAll },
  member,
  other,
  name,
  children
}: Omit<SetProps, 'add'> & {
  name: (id: string) => string;
  children: (label: string, ids: string[], take: (id: string) => void) => ComponentChildren;
}) {
  const { trans } = useView();
  const choice = useRef<HTMLDivElement>(null);
  const ids: string[] = plan[member] ?? [];
  const others: string[] = plan[other] ?? [];
  const label = memberName(member, trans);
  const take = (id: string): void => {
    if (id && !ids.includes(id)) {
      setAll([
        [[member], [...ids, id]],
        [[other], others.filter(o => o !== id)]
      ]);
    }
  };
  const drop = (id: string): void => {
    set([member], ids.filter(i => i !== id));
    choice.current?.querySelector<HTMLElement>('select, input')?.focus(); // as the button goes
  };
  return (
    <div class="jppl-field jppl-set" role="group" aria-label={label} ref={choice}>
      <span class="jppl-label">{label}</span>
      {children(label, ids, take)}
      {ids.length ? (
        <ul class="jppl-picked">
          {ids.map(id => (
            <li key={id}>
              <bdi>{name(id)}</bdi>
              <button type="button" aria-label={trans.__('Take %1 out', name(id))} onClick={() => drop(id)}>
                <Icon name="cross" />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

export interface Sample {
  columns: { name: string; dtype: string }[];
  rows: Record<string, unknown>[];
}

/** Data sets that one chooses from at once; the others come after them. */
const LIKELY = 12;

export function DataForm({ plan, set, setAll, isEdited }: PlanForm) {
  const { model, trans, uid } = useView();
  const base = model.planOf('DATA_SOURCE') ?? plan;
  const failed = model.stages.DATA_SOURCE.status === 'FAILED'; // what it had shown of the data is gone
  const sheets: string[] = model.datasets.find(dataset => dataset.id === plan.dataset_id)?.meta.sheets ?? [];
  const other = isEdited('dataset_id') || isEdited('sheet');
  const distribution = useJson<{ target: string; classes?: { value: unknown }[] }>(model.distributionUrl);
  const sample = useJson<Sample>(failed ? null : (model.sample?.url ?? null));
  const classes = new Set<string>();
  if (distribution?.state === 'ready' && distribution.value.target === plan.target) {
    distribution.value.classes?.forEach(c => classes.add(String(c.value)));
  } else if (sample?.state === 'ready') {
    sample.value.rows.forEach(row => row[plan.target] != null && classes.add(String(row[plan.target])));
  }
  if (plan.positive_class !== null) {
    classes.add(plan.positive_class);
  }
  const positive = [...classes].slice(0, 50).map((c): [string, string] => [c, c]);
  // What the person brought, and what is proposed; of many the likeliest, and examples are not what matters beside it.
  const { datasets } = model;
  const proposed: unknown = model.stages.DATA_SOURCE.plan?.dataset_id;
  const brought = datasets.some(dataset => dataset.source !== 'bundled');
  const likely = datasets.filter(dataset => !brought || dataset.source !== 'bundled').slice(0, LIKELY);
  const near = (dataset: Dataset): boolean => likely.includes(dataset) || dataset.id === proposed;
  const bundled = datasets.filter(dataset => !near(dataset) && dataset.source === 'bundled');
  const more = datasets.filter(dataset => !near(dataset) && dataset.source !== 'bundled');
  const choice = (dataset: Dataset) => (
    <label key={dataset.id} class="jppl-choice">
      <input
        type="radio"
        name={`${uid}-dataset`}
        checked={plan.dataset_id === dataset.id}
        onChange={() => set(['dataset_id'], dataset.id)}
      />
      <span>
        <strong>{dataset.name}</strong>{' '}
        <span class="jppl-muted">
          {dataset.desc}
          {typeof dataset.meta.size === 'number' && !dataset.desc.includes('bytes') ? ` ${bytes(dataset.meta.size)}` : ''}
        </span>
      </span>
    </label>
  );
  return (
    <>
      <fieldset class="jppl-choices">
        <legend class="jppl-label">{trans.__('Data set')}</legend>
        {datasets.filter(near).map(choice)}
        {more.length ? (
          <Details summary={trans._n('%1 more data set', '%1 more data sets', more.length)}>{more.map(choice)}</Details>
        ) : null}
        {bundled.length ? (
          <Details summary={trans.__('Data that come with the server')}>{bundled.map(choice)}</Details>
        ) : null}
      </fieldset>
      {sheets.length > 1 && !isEdited('dataset_id') ? (
        <div class="jppl-form">
          <Field label={trans.__('Sheet')}>
            <Select
              value={plan.sheet ?? sheets[0]}
              options={sheets.map(sheet => [sheet, sheet] as const)}
              onChange={value => set(['sheet'], value)}
            />
          </Field>
        </div>
      ) : null}
      {other ? (
        <p class="jppl-note">{trans.__('Target, task and metric are worked out again for the other data.')}</p>
      ) : (
        <div class="jppl-form">
          <Field label={trans.__('Target')}>
            <Select
              value={plan.target}
              options={(model.columns.length ? model.columns : [plan.target]).map(c => [c, c] as const)}
              onChange={value =>
                setAll([
                  [['target'], value],
                  [['positive_class'], value === base.target ? base.positive_class : null] // it is one of the target's
                ])
              }
            />
          </Field>
          <Field label={trans.__('Task')}>
            <Select
              value={plan.task_type}
              options={['binary', 'multiclass', 'regression'].map(id => [id, taskName(id, trans)] as const)}
              onChange={value => {
                const fit = metricOptions(value, false, trans).map(([id]) => id);
                setAll([
                  [['task_type'], value],
                  [['metric'], [plan.metric, base.metric].find(id => fit.includes(id)) ?? 'auto']
                ]);
              }}
            />
          </Field>
          <Field label={trans.__('Judged by')}>
            <Select
              value={plan.metric}
              options={metricOptions(plan.task_type, plan.metric === 'auto', trans)}
              onChange={value => set(['metric'], value)}
            />
          </Field>
          {plan.task_type === 'binary' ? (
            <Field label={trans.__('Positive class')}>
              <Select
                value={plan.positive_class ?? ''}
                options={plan.positive_class === null ? [['', taskName('auto', trans)], ...positive] : positive}
                onChange={value => set(['positive_class'], value || null)}
              />
            </Field>
          ) : null}
        </div>
      )}
      {!other && isEdited('target') ? (
        <p class="jppl-note">{trans.__('Task and metric are worked out again for the other target, unless you choose others.')}</p>
      ) : null}
      {model.sample && !other && !failed ? (
        <Section
          title={trans.__('First rows')}
          aside={
            <span class="jppl-muted">
              {model.columns.length > SHOWN
                ? trans.__(
                    'of %1; the first %2 of %3 columns',
                    count(model.sample.rows),
                    count(SHOWN),
                    count(model.columns.length)
                  )
                : trans.__('of %1', count(model.sample.rows))}
            </span>
          }
        >
          <SampleTable target={plan.target} />
        </Section>
      ) : null}
    </>
  );
}

/** Columns of the first rows that are shown; all of them stand in the profile. */
const SHOWN = 60;

function SampleTable({ target }: { target: string }) {
  const { model, trans } = useView();
  const sample = useJson<Sample>(model.sample?.url ?? null);
  if (sample?.state === 'failed') {
    return <Missing of={sample} />;
  }
  if (sample?.state !== 'ready') {
    return <p class="jppl-muted">{trans.__('Loading…')}</p>;
  }
  // The target first: of a wide table the end is out of sight.
  const columns = [...sample.value.columns].sort((a, b) => Number(b.name === target) - Number(a.name === target)).slice(0, SHOWN);
  const numeric = new Set(
    columns.map(c => c.name).filter(name => sample.value.rows.some(row => typeof row[name] === 'number'))
  );
  return (
    <div class="jppl-scroll" tabIndex={0} role="region" aria-label={trans.__('First rows')}>
      <table class="jppl-table">
        <thead>
          <tr>
            {columns.map(c => (
              <th key={c.name} scope="col" class={`${numeric.has(c.name) ? 'jppl-numeric' : ''} ${c.name === target ? 'jppl-target' : ''}`} title={`${c.name}, ${c.dtype}`}>
                <bdi>{c.name}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sample.value.rows.slice(0, 8).map((row, i) => (
            <tr key={i}>
              {columns.map(c => {
                const value = row[c.name];
                return (
                  <td
                    key={c.name}
                    class={`${numeric.has(c.name) ? 'jppl-numeric' : ''} ${c.name === target ? 'jppl-target' : ''}`}
                  >
                    {value === null || value === undefined ? (
                      <span class="jppl-muted">–</span>
                    ) : typeof value === 'number' ? (
                      compact(value)
                    ) : (
                      <bdi>{String(value).slice(0, 80)}</bdi>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function BundleForm({ plan, set }: PlanForm) {
  const { trans } = useView();
  const parts: [string, string][] = [
    ['report', trans.__('The report')],
    ['notebook', trans.__('The executed notebook')],
    ['training_code', trans.__('The training code')],
    ['event_log', trans.__('The event log')]
  ];
  return (
    <fieldset class="jppl-choices">
      <legend class="jppl-label">{trans.__('In the bundle, beside the model and predict.py')}</legend>
      {parts.map(([key, name]) => (
        <label class="jppl-choice" key={key}>
          <input type="checkbox" checked={plan[key] === true} onChange={e => set([key], e.currentTarget.checked)} />
          <span>{name}</span>
        </label>
      ))}
      <Field label={trans.__('Sample rows')}>
        <NumberBox
          value={plan.sample_rows}
          min={0}
          max={1000}
          step={1}
          required
          onChange={value => set(['sample_rows'], value)}
        />
      </Field>
    </fieldset>
  );
}
