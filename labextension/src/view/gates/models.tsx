/** Which models are trained and for how long, and which of them is kept. */

import { useState } from 'preact/hooks';
import { modelColour } from '../colours';
import { useView } from '../context';
import type { Json, ModelCandidate } from '../records';
import { duration, percent } from '../numbers';
import { Field, NumberBox, Section, Select, useJson } from '../parts';
import { modelName } from '../runs';
import { atThreshold, type PrecisionRecall } from '../threshold';
import type { PlanForm } from './form';
import { metricOptions } from './request';

interface Choice {
  id: string;
  params: Record<string, Json>;
}

export function ModelsForm({ plan, set }: PlanForm) {
  const { model, trans } = useView();
  const choices: Choice[] = plan.models ?? [];
  const chosen = new Map(choices.map(c => [c.id, c]));
  const candidates = model.models.length
    ? model.models
    : choices.map(c => ({ id: c.id, name: c.id, family: '', why: '', requirements: [], cost_s: null, params: {} }));
  const task = model.stages.DATA_SOURCE.plan?.task_type ?? 'auto';
  const costs = choices.map(c => model.models.find(m => m.id === c.id)?.cost_s ?? null);
  const cost = costs.reduce<number | null>((sum, s) => (sum === null || s === null ? null : sum + s), 0);
  const update = (next: Choice[]): void => set(['models'], next);
  const toggle = (id: string, on: boolean): void => {
    const next = new Map(chosen);
    next.delete(id);
    const proposed: Choice[] = model.stages.MODEL_SELECT.plan?.models ?? [];
    if (on) {
      next.set(id, proposed.find(c => c.id === id) ?? { id, params: {} });
    }
    // In the order that is proposed, so that what is taken out and put back is no change.
    const order = new Set([...proposed.map(c => c.id), ...next.keys()]);
    update([...order].flatMap(key => next.get(key) ?? []));
  };
  const setParam = (id: string, name: string, value: Json): void =>
    update(
      choices.map(c => {
        if (c.id !== id) {
          return c;
        }
        const params = { ...c.params };
        if (value === null || value === '') {
          delete params[name];
        } else {
          params[name] = value;
        }
        return { ...c, params };
      })
    );
  return (
    <>
      <div class="jppl-form">
        <Field label={trans.__('Time for training, in seconds')}>
          <NumberBox
            value={plan.time_budget_s}
            min={0}
            max={604800}
            required
            onChange={value => set(['time_budget_s'], value)}
          />
        </Field>
        <Field label={trans.__('Judged by')}>
          <Select
            value={plan.metric}
            options={metricOptions(task, plan.metric === 'auto', trans)}
            onChange={value => set(['metric'], value)}
          />
        </Field>
        <Field label={trans.__('Settings tried for each model')}>
          <NumberBox
            value={plan.trials}
            min={1}
            max={1000}
            step={1}
            required
            onChange={value => set(['trials'], value)}
          />
        </Field>
      </div>
      <Section
        title={trans.__('Models')}
        aside={
          <span class="jppl-muted">
            {cost === null
              ? trans.__('%1 of %2', choices.length, candidates.length)
              : trans.__('%1 of %2; to fit each of them once takes about %3', choices.length, candidates.length, duration(cost))}
          </span>
        }
      >
        <ul class="jppl-models">
          {candidates.map(candidate => (
            <ModelItem
              key={candidate.id}
              candidate={candidate}
              choice={chosen.get(candidate.id)}
              only={choices.length === 1}
              onToggle={on => toggle(candidate.id, on)}
              onParam={(name, value) => setParam(candidate.id, name, value)}
            />
          ))}
        </ul>
      </Section>
    </>
  );
}

function ModelItem({
  candidate,
  choice,
  only,
  onToggle,
  onParam
}: {
  candidate: ModelCandidate;
  choice: Choice | undefined;
  only: boolean;
  onToggle(on: boolean): void;
  onParam(name: string, value: Json): void;
}) {
  const { model, trans } = useView();
  const [open, setOpen] = useState(false);
  const names = [...new Set([...Object.keys(candidate.params), ...Object.keys(choice?.params ?? {})])];
  const own = Object.keys(choice?.params ?? {}).length;
  return (
    <li class={choice ? 'jppl-model jppl-chosen' : 'jppl-model'}>
      <label class="jppl-choice">
        <input
          type="checkbox"
          checked={choice !== undefined}
          disabled={choice !== undefined && only}
          onChange={e => onToggle(e.currentTarget.checked)}
        />
        <span>
          <span class="jppl-model-name">
            <span class="jppl-swatch" style={{ background: `var(${modelColour(model, candidate.id)})` }} />
            <strong>{modelName(model, candidate.id, trans)}</strong>
          </span>
          <span class="jppl-why">{candidate.why}</span>
          <span class="jppl-cost">
            {candidate.cost_s === null ? '' : trans.__('fits in about %1', duration(candidate.cost_s))}
          </span>
        </span>
      </label>
      {choice && names.length ? (
        <>
          <button type="button" class="jppl-link" aria-expanded={open} onClick={() => setOpen(!open)}>
            {own ? trans._n('Parameters, %1 set', 'Parameters, %1 set', own) : trans.__('Parameters')}
          </button>
          {open ? (
            <div class="jppl-form jppl-params">
              {names.map(name => (
                <Field key={name} label={name}>
                  <ParamBox
                    value={choice.params[name]}
                    usual={candidate.params[name]}
                    onChange={value => onParam(name, value)}
                  />
                </Field>
              ))}
            </div>
          ) : null}
        </>
      ) : null}
    </li>
  );
}

function ParamBox({ value, usual, onChange }: { value: Json; usual: Json; onChange(value: Json): void }) {
  if (typeof (value ?? usual) === 'number') {
    return <NumberBox value={value ?? null} placeholder={String(usual ?? '')} onChange={onChange} />;
  }
  return (
    <input
      class="jppl-input"
      type="text"
      value={value === undefined ? '' : String(value)}
      placeholder={String(usual ?? '')}
      onInput={e => onChange(e.currentTarget.value)}
    />
  );
}

/** The threshold while none is set. */
const USUAL = 0.5;

export function ThresholdForm({ plan, set }: PlanForm) {
  const { model, trans } = useView();
  const data = model.stages.DATA_SOURCE.plan;
  if (data?.task_type !== 'binary') {
    return null;
  }
  const positive = data.positive_class ?? '';
  const threshold: number | null = plan.threshold;
  return (
    <div class="jppl-form">
      <Field wide label={trans.__('“%1” from a probability of', positive)}>
        <span class="jppl-pair">
          <input
            type="range"
            min={0}
            max={1}
            step={0.005}
            value={threshold ?? USUAL}
            aria-label={trans.__('Threshold')}
            onInput={e => set(['threshold'], Number(e.currentTarget.value))}
          />
          <NumberBox
            value={threshold === null ? null : Math.round(threshold * 1e4) / 1e4}
            min={0}
            max={1}
            label={trans.__('Threshold as a number')}
            placeholder={String(USUAL)}
            onChange={value => set(['threshold'], value)}
          />
        </span>
      </Field>
      <ThresholdEffect run={plan.keep} positive={positive} threshold={threshold ?? USUAL} />
    </div>
  );
}

/** How many rows of the class a threshold finds, and how many of those called so are of it, on the validation rows. */
function ThresholdEffect({ run, positive, threshold }: { run: string; positive: string; threshold: number }) {
  const { model, trans } = useView();
  const measured = model.evaluations.get(run);
  const loaded = useJson<{ curves: PrecisionRecall[] }>(measured?.figures.get('precision_recall')?.dataUrl ?? null);
  const curve = loaded?.state === 'ready' ? loaded.value.curves[0] : undefined;
  if (!curve) {
    return null;
  }
  const found = atThreshold(curve, threshold);
  return (
    <p class="jppl-hint jppl-field-wide">
      {found
        ? trans.__(
            'On the validation rows about %1 of the “%2” are found, and about %3 of the rows called so are right.',
            percent(found.recall),
            positive,
            percent(found.precision)
          )
        : trans.__('On the validation rows no row is rightly called “%1” then.', positive)}
    </p>
  );
}
