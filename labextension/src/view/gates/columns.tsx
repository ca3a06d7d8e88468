/** What each column is for, how the rows are divided, and how columns become features. */

import { useState } from 'preact/hooks';
import { useView } from '../context';
import { Bars } from '../figures';
import { Field, NumberBox, Section, Select, Stat, useJson } from '../parts';
import { compact, count, percent } from '../numbers';
import type { PlanForm } from './form';

interface ColumnProfile {
  kind: string;
  dtype: string;
  missing_share: number;
  n_unique: number;
  min?: number | string;
  max?: number | string;
  mean?: number;
  top?: { value: unknown; share: number }[];
}

interface Distribution {
  target: string;
  task_type: string;
  classes?: { value: unknown; count: number; share: number }[];
  histogram?: { edges: number[]; counts: number[] };
}

/** Columns that one page of a table has. */
const PAGE = 40;

function useProfile(): Record<string, ColumnProfile> {
  const { model } = useView();
  let url: string | null = null;
  for (const artifact of model.artifacts.values()) {
    if (artifact.url.endsWith('.profile.json')) {
      url = artifact.url;
    }
  }
  const loaded = useJson<{ columns: Record<string, ColumnProfile> }>(url);
  return loaded?.state === 'ready' ? loaded.value.columns : {};
}

/** A column's values in a few words. */
function valuesOf(profile: ColumnProfile | undefined): string {
  if (!profile) {
    return '';
  }
  if (typeof profile.min === 'number' && typeof profile.max === 'number') {
    return `${compact(profile.min)} … ${compact(profile.max)}`;
  }
  if (profile.min !== undefined && profile.kind === 'datetime') {
    return `${String(profile.min).slice(0, 10)} … ${String(profile.max).slice(0, 10)}`;
  }
  return (profile.top ?? [])
    .slice(0, 3)
    .map(t => String(t.value).slice(0, 24))
    .join(', ');
}

export function ProfileForm({ plan, set, isEdited }: PlanForm) {
  const { model, trans } = useView();
  const profile = useProfile();
  const facts = model.profile;
  const roles: [string, string][] = [
    ['feature', trans.__('feature')],
    ['id', trans.__('identifier')],
    ['time', trans.__('time')],
    ['group', trans.__('group')],
    ['ignore', trans.__('leave out')]
  ];
  return (
    <>
      {facts ? (
        <div class="jppl-stats">
          <Stat label={trans.__('Rows')} value={count(facts.rows)} />
          <Stat label={trans.__('Columns')} value={count(facts.cols)} />
          <Stat label={trans.__('Missing')} value={percent(facts.missing, 1)} />
          {Object.entries(facts.types).map(([kind, n]) => (
            <Stat key={kind} label={kind} value={count(n)} />
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
          names={Object.keys(plan.roles ?? {})}
          profile={profile}
          head={trans.__('Role')}
          isEdited={name => isEdited('roles', name)}
          control={name =>
            plan.roles[name] === 'target' ? (
              <span class="jppl-badge">{trans.__('target')}</span>
            ) : (
              <Select
                label={trans.__('Role of %1', name)}
                value={plan.roles[name]}
                options={roles}
                onChange={value => set(['roles', name], value)}
              />
            )
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
    return null;
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

function ColumnTable({
  names,
  profile,
  head,
  control,
  isEdited,
  why
}: {
  names: string[];
  profile: Record<string, ColumnProfile>;
  head: string;
  control(name: string): preact.ComponentChildren;
  isEdited(name: string): boolean;
  why?: (name: string) => string | undefined;
}) {
  const { trans } = useView();
  const [search, setSearch] = useState('');
  const [shown, setShown] = useState(PAGE);
  const wanted = search ? names.filter(n => n.toLowerCase().includes(search.toLowerCase())) : names;
  return (
    <>
      {names.length > 12 ? (
        <input
          class="jppl-input jppl-search"
          type="search"
          placeholder={trans.__('Find a column')}
          aria-label={trans.__('Find a column')}
          value={search}
          onInput={e => setSearch(e.currentTarget.value)}
        />
      ) : null}
      <div class="jppl-scroll">
        <table class="jppl-table jppl-columns">
          <thead>
            <tr>
              <th scope="col">{trans.__('Column')}</th>
              <th scope="col">{head}</th>
              <th scope="col" class="jppl-wide">
                {trans.__('Kind')}
              </th>
              <th scope="col" class="jppl-numeric">
                {trans.__('Missing')}
              </th>
              <th scope="col" class="jppl-wide">
                {trans.__('Values')}
              </th>
            </tr>
          </thead>
          <tbody>
            {wanted.slice(0, shown).map(name => (
              <tr key={name} class={isEdited(name) ? 'jppl-edited' : ''}>
                <th scope="row" title={[name, why?.(name)].filter(Boolean).join('\n')}>
                  <bdi>{name}</bdi>
                </th>
                <td>{control(name)}</td>
                <td class="jppl-wide jppl-muted">{profile[name]?.kind ?? ''}</td>
                <td class="jppl-numeric">
                  {profile[name] ? (profile[name].missing_share > 0 ? percent(profile[name].missing_share, 1) : '0') : ''}
                </td>
                <td class="jppl-wide jppl-values">
                  <bdi>{valuesOf(profile[name])}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {wanted.length > shown ? (
        <button type="button" class="jppl-link" onClick={() => setShown(shown + 200)}>
          {trans.__('Show more of %1 columns', wanted.length)}
        </button>
      ) : null}
    </>
  );
}

export function PreparationForm({ plan, set, isEdited }: PlanForm) {
  const { model, trans } = useView();
  const profile = useProfile();
  const split = plan.split ?? {};
  const train = 1 - split.val_fraction - split.test_fraction;
  const needsColumn = split.strategy === 'time' || split.strategy === 'group';
  const rows = isEdited('split', 'val_fraction') || isEdited('split', 'test_fraction') ? null : model.split;
  const treatments: [string, string][] = [
    ['numeric', trans.__('as numbers')],
    ['onehot', trans.__('a column for each category')],
    ['ordinal', trans.__('as ordered categories')],
    ['target_encode', trans.__('encoded by the target')],
    ['text', trans.__('as text')],
    ['datetime', trans.__('as dates')],
    ['boolean', trans.__('as yes or no')],
    ['drop', trans.__('leave out')]
  ];
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
        <div class="jppl-form">
          <Field label={trans.__('Strategy')}>
            <Select
              value={split.strategy}
              options={[
                ['random', trans.__('at random')],
                ['stratified', trans.__('at random, each class with its share')],
                ['time', trans.__('by time, the last rows tested')],
                ['group', trans.__('by groups, none in two parts')]
              ]}
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
              value={Math.round(split.val_fraction * 1000) / 10}
              min={1}
              max={45}
              onChange={value => value !== null && value > 0 && set(['split', 'val_fraction'], value / 100)}
            />
          </Field>
          <Field label={trans.__('Test, in %')}>
            <NumberBox
              value={Math.round(split.test_fraction * 1000) / 10}
              min={1}
              max={45}
              onChange={value => value !== null && value > 0 && set(['split', 'test_fraction'], value / 100)}
            />
          </Field>
          <Field label={trans.__('Seed')}>
            <NumberBox
              value={split.seed}
              min={0}
              step={1}
              onChange={value => value !== null && Number.isInteger(value) && set(['split', 'seed'], value)}
            />
          </Field>
        </div>
      </Section>
      <Section title={trans.__('How columns become features')}>
        <ColumnTable
          names={Object.keys(plan.columns ?? {})}
          profile={profile}
          head={trans.__('Treatment')}
          isEdited={name => isEdited('columns', name)}
          why={name => why.get(name)}
          control={name => (
            <Select
              label={trans.__('Treatment of %1', name)}
              value={plan.columns[name]}
              options={treatments}
              onChange={value => set(['columns', name], value)}
            />
          )}
        />
      </Section>
      {model.steps.length ? (
        <details class="jppl-details">
          <summary>{trans.__('What will be done, step by step')}</summary>
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
        </details>
      ) : null}
    </>
  );
}
