/** The commands that plugins add: what there is, and a form for each. What one answers comes in the conversation. */

import { useState } from 'preact/hooks';
import type { CommandSpec } from '../protocol/types';
import { argumentsOf, sentArguments, type Argument } from './args';
import { useSending, useView } from './context';
import { Field, NumberBox, SendButton, Select } from './parts';
import type { Json } from './records';

export function Commands() {
  const { model, trans } = useView();
  return (
    <ul class="jppl-commands" aria-label={trans.__('Commands of plugins')}>
      {model.commands.map(spec => (
        <li key={spec.name}>
          <CommandForm spec={spec} />
        </li>
      ))}
    </ul>
  );
}

function CommandForm({ spec }: { spec: CommandSpec }) {
  const { model, trans } = useView();
  // What a command does is its own; something happens.
  const { busy, send } = useSending(model.seq);
  const [typed, setTyped] = useState<Record<string, Json>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const args = argumentsOf(spec.args_schema);
  const submit = (event: Event): void => {
    event.preventDefault();
    let sent: Record<string, Json>;
    try {
      sent = sentArguments(args, typed);
    } catch (error) {
      setProblem(trans.__('This is not valid JSON: %1', String((error as Error).message)));
      return;
    }
    setProblem(null);
    send({ type: 'command', command: spec.name, args: sent }, refused => setProblem(refused.message));
  };
  return (
    <form onSubmit={submit}>
      <p class="jppl-command-head">
        <strong>{spec.name}</strong> <span class="jppl-muted">{spec.description}</span>
      </p>
      {args.length ? (
        <div class="jppl-form">
          {args.map(arg => (
            <ArgumentBox key={arg.name} arg={arg} value={typed[arg.name]} onChange={value => setTyped({ ...typed, [arg.name]: value })} />
          ))}
        </div>
      ) : null}
      <SendButton type="submit" busy={busy}>
        {trans.__('Run %1', spec.name)}
      </SendButton>
      {problem ? (
        <p class="jppl-note jppl-note-bad" role="alert">
          {problem}
        </p>
      ) : null}
    </form>
  );
}

function ArgumentBox({ arg, value, onChange }: { arg: Argument; value: Json; onChange(value: Json): void }) {
  const { trans } = useView();
  const fallback = arg.fallback === undefined || arg.fallback === null ? '' : JSON.stringify(arg.fallback);
  if (arg.kind === 'truth') {
    return (
      <label class="jppl-choice">
        <input type="checkbox" checked={value ?? arg.fallback ?? false} onChange={e => onChange(e.currentTarget.checked)} />
        <span>
          {arg.name}
          {arg.hint ? <span class="jppl-why">{arg.hint}</span> : null}
        </span>
      </label>
    );
  }
  return (
    <Field label={arg.required ? trans.__('%1 (needed)', arg.name) : arg.name} hint={arg.hint} wide={arg.kind === 'json'}>
      {arg.kind === 'number' || arg.kind === 'whole' ? (
        <NumberBox
          value={typeof value === 'number' ? value : null}
          min={arg.min}
          max={arg.max}
          step={arg.kind === 'whole' ? 1 : 'any'}
          placeholder={fallback}
          onChange={onChange}
        />
      ) : arg.kind === 'choice' ? (
        <Select
          value={String(value === undefined ? arg.choices.indexOf(arg.fallback) : arg.choices.indexOf(value))}
          options={[
            ...(arg.choices.includes(arg.fallback) ? [] : [['-1', '—'] as const]),
            ...arg.choices.map((choice, i) => [String(i), String(choice)] as const)
          ]}
          onChange={index => onChange(arg.choices[Number(index)])}
        />
      ) : (
        <input
          class="jppl-input"
          dir="auto"
          value={value ?? ''}
          placeholder={arg.kind === 'json' ? fallback : String(arg.fallback ?? '')}
          onInput={e => onChange(e.currentTarget.value)}
        />
      )}
    </Field>
  );
}
