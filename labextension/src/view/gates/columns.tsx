/** What each column is for, how the rows are divided, and how columns become features. */

import { strategyName } from '../../protocol/names';
import { useView } from '../context';
import { Bars } from '../figures';
import { Details, Field, Missing, NumberBox, Section, Select, Stat, useJson } from '../parts';
import { compact, count, percent } from '../numbers';
import { ColumnTable } from './columntable';
import { kindName, roleOptions, treatmentOptions } from './columnwords';
import type { PlanForm } from './form';

interface Distribution {
  target: string;
  task_type: string;
  classes?: { value: unknown; count: number; share: number }[];
  histogram?: { edges: number[]; counts: number[] };
}

export function ProfileForm(form: PlanForm) {
  const { model, trans } = useView();
  const { plan } = form;
  const facts = model.profile;
  return (
    <>
      {facts ? (
        <div class="jppl-stats">
          <Stat label={trans.__('Rows')} value={count(facts.rows)} />
          <Stat label={trans.__('Columns')} value={count(facts.cols)} />
          <Stat label={trans.__('Missing')} value={percent(facts.missing, 1)} />
          {Object.entries(facts.types).map(([kind, n]) => (
            <Stat key={kind} label={kindName(kind, trans)} value={count(n)} />
          ))}
        </div>
      ) : null}
      {facts?.warnings.length ? (
        <ul class="jppl-warnings">
          {facts.warnings.slice(0, 20).map(text => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      ) : null}
      <TargetDistribution />
      <Section title={trans.__('What each column is for')}>
        <ColumnTable
          form={form}
          member="roles"
          options={roleOptions(trans)}
          texts={{
            head: trans.__('Role'),
            one: name => trans.__('Role of %1', name),
            several: trans.__('Role of the selected columns'),
            unchosen: trans.__('choose a role')
          }}
          fixed={name =>
            plan.roles[name] === 'target' ? <span class="jppl-badge">{trans.__('target')}</span> : null
          }
        />
      </Section>
    </>
  );
}

function TargetDistribution() {
  const { model, trans } = useView();
  const loaded = useJson<Distribution>(model.distributionUrl);
  if (loaded?.state !== 'ready') {
    return loaded?.state === 'failed' ? <Missing of={loaded} /> : null;
  }
  const { target, classes, histogram } = loaded.value;
  const bars = classes
    ? classes.slice(0, 12).map(c => ({ name: String(c.value), value: c.share, text: `${count(c.count)}, ${percent(c.share)}` }))
    : histogram
      ? histogram.counts.map((n, i) => ({
          name: `${compact(histogram.edges[i], 3)} … ${compact(histogram.edges[i + 1], 3)}`,
          value: n,
          text: count(n)
        }))
      : [];
  return bars.length ? (
    <Section
      title={trans.__('Target: %1', target)}
      aside={classes && classes.length > bars.length ? <span class="jppl-muted">{trans.__('%1 of %2', bars.length, classes.length)}</span> : null}
    >
      <Bars bars={bars} label={trans.__('Distribution of %1', target)} />
    </Section>
  ) : null;
}

/** A share for its box, without what floating point adds; null where the box was emptied. */
function inPercent(share: number | null): number | null {
  return share === null ? null : Math.round(share * 1e6) / 1e4;
}

export function PreparationForm(form: PlanForm) {
  const { plan, set, isEdited } = form;
  const { model, trans } = useView();
  const split = plan.split ?? {};
  const train = 1 - split.val_fraction - split.test_fraction;
  const needsColumn = split.strategy === 'time' || split.strategy === 'group';
  const rows = isEdited('split', 'val_fraction') || isEdited('split', 'test_fraction') ? null : model.split;
  const why = new Map<string, string>();
  for (const step of model.steps) {
    for (const [column, reason] of Object.entries(step.why ?? {})) {
      why.set(column, String(reason));
    }
  }
  const parts: [string, string, number, number | undefined][] = [
    ['train', trans.__('training'), train, rows?.train],
    ['val', trans.__('validation'), split.val_fraction, rows?.val],
    ['test', trans.__('test'), split.test_fraction, rows?.test]
  ];
  return (
    <>
      <Section title={trans.__('How rows are divided')}>
        <div class="jppl-split" aria-hidden="true">
          {parts.map(([id, name, share, n]) => (
            <span key={id} class={`jppl-split-${id}`} style={{ flexGrow: Math.max(0.02, share) }}>
              <strong>{percent(share)}</strong> {name}
              {n === undefined ? '' : `, ${count(n)}`}
            </span>
          ))}
        </div>
        <div class="jppl-form jppl-form-dense">
          <Field wide label={trans.__('Strategy')}>
            <Select
              value={split.strategy}
              options={['random', 'stratified', 'time', 'group'].map(id => [id, strategyName(id, trans)] as const)}
              onChange={value => {
                set(['split', 'strategy'], value);
                if ((value === 'time' || value === 'group') && !split.column) {
                  const role = Object.entries(model.stages.PROFILE_DATA.plan?.roles ?? {}).find(([, r]) => r === value);
                  set(['split', 'column'], role?.[0] ?? model.columns[0] ?? null);
                }
              }}
            />
          </Field>
          {needsColumn ? (
            <Field label={split.strategy === 'time' ? trans.__('Time column') : trans.__('Group column')}>
              <Select
                value={split.column ?? ''}
                options={model.columns.map(c => [c, c] as const)}
                onChange={value => set(['split', 'column'], value)}
              />
            </Field>
          ) : null}
          <Field label={trans.__('Validation, in %')}>
            <NumberBox
              value={inPercent(split.val_fraction)}
              min={0}
              max={45}
              required
              onChange={value => set(['split', 'val_fraction'], value === null ? null : value / 100)}
            />
          </Field>
          <Field label={trans.__('Test, in %')}>
            <NumberBox
              value={inPercent(split.test_fraction)}
              min={0}
              max={45}
              required
              onChange={value => set(['split', 'test_fraction'], value === null ? null : value / 100)}
            />
          </Field>
          <Field label={trans.__('Seed')}>
            <NumberBox
              value={split.seed}
              min={0}
              max={2147483647}
              step={1}
              required
              onChange={value => set(['split', 'seed'], value)}
            />
          </Field>
        </div>
      </Section>
      <Section title={trans.__('How columns become features')}>
        <ColumnTable
          form={form}
          member="columns"
          options={treatmentOptions(trans)}
          texts={{
            head: trans.__('Treatment'),
            one: name => trans.__('Treatment of %1', name),
            several: trans.__('Treatment of the selected columns'),
            unchosen: trans.__('choose a treatment')
          }}
          why={name => why.get(name)}
        />
      </Section>
      {model.steps.length ? (
        <Details summary={trans.__('What will be done, step by step')}>
          <ol class="jppl-steps">
            {model.steps.map((step, i) => (
              <li key={i}>
                {String(step.text ?? step.step ?? '')}
                {Array.isArray(step.columns) && step.columns.length ? (
                  <span class="jppl-muted"> {step.columns.slice(0, 12).join(', ')}</span>
                ) : null}
              </li>
            ))}
          </ol>
        </Details>
      ) : null}
    </>
  );
}
