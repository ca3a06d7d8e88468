/** Small pieces that all parts use. */

import type { ComponentChildren, TargetedEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../client/sentences';
import { useView } from './context';
import type { StageStatus } from './stages';

const PATHS: Record<string, string> = {
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  sort: 'M5 6.5L8 3.5l3 3M5 9.5l3 3 3-3',
  file: 'M4.5 2.5h5l2.5 2.5v8.5h-7.5z',
  send: 'M3 8h9M8.5 4.5L12 8l-3.5 3.5',
  attach: 'M11.5 7.5l-4.3 4.3a2.1 2.1 0 0 1-3-3l5-5a1.4 1.4 0 0 1 2 2l-4.8 4.8',
  download: 'M8 2.5v7M5 7l3 3 3-3M3.5 13h9',
  skip: 'M4 8h8',
  stop: 'M5.5 5.5h5v5h-5z'
};

export function Icon({ name }: { name: string }) {
  return (
    <svg class="jppl-icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} fill={name === 'stop' ? 'currentColor' : 'none'} stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
    </svg>
  );
}

/** How a stage stands, as a sign. */
export function StatusSign({ status, stopped }: { status: StageStatus; stopped?: boolean }) {
  return (
    <span class={`jppl-sign jppl-sign-${stopped ? 'stopped' : status}`} aria-hidden="true">
      {status === 'COMPLETED' ? <Icon name="check" /> : null}
      {status === 'FAILED' ? <Icon name={stopped ? 'stop' : 'cross'} /> : null}
      {status === 'SKIPPED' ? <Icon name="skip" /> : null}
    </span>
  );
}

/** A bar that says how far something is; without a value, that it is at work. */
export function Meter({ value, label }: { value: number | null; label: string }) {
  return (
    <span
      class={`jppl-meter ${value === null ? 'jppl-unknown' : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(100 * value)}
    >
      <span style={{ transform: value === null ? undefined : `scaleX(${Math.max(0, Math.min(1, value))})` }} />
    </span>
  );
}

/**
 * A button that sends something. What is on its way is not sent again, and the second click of a double click does nothing,
 * also where an answer has come between and another such button stands in this place by now.
 */
export function SendButton({
  busy,
  onSend,
  look = 'jppl-button',
  type = 'button',
  title,
  label,
  describedBy,
  children
}: {
  busy: boolean;
  /** What a click does; the button of a form leaves that to the form. */
  onSend?(): void;
  look?: string;
  type?: 'button' | 'submit';
  title?: string;
  label?: string;
  /** The element that says what it does. */
  describedBy?: string;
  children: ComponentChildren;
}) {
  return (
    <button
      type={type}
      class={look}
      title={title}
      aria-label={label}
      aria-describedby={describedBy}
      aria-disabled={busy}
      onClick={event => {
        if (busy || event.detail > 1) {
          event.preventDefault();
        } else {
          onSend?.();
        }
      }}
    >
      {children}
    </button>
  );
}

/** Where an element stands in a sentence: what the sentence is translated with in place of the element's text. */
export const HERE = '\uE000';

/** A sentence with an element in it, at the place that a language has for it. */
export function Sentence({ text, children }: { text: string; children: ComponentChildren }) {
  const [before, after] = text.split(HERE);
  return (
    <>
      {before}
      {children}
      {after}
    </>
  );
}

export function Stat({ label, value }: { label: string; value: string }) {
  return (
    <div class="jppl-stat">
      <span class="jppl-stat-value">{value}</span>
      <span class="jppl-stat-label">{label}</span>
    </div>
  );
}

export function Section({
  title,
  aside,
  children
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="jppl-section">
      <div class="jppl-section-head">
        <h4>{title}</h4>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** More, for whoever opens it; it is not made before. */
export function Details({ summary, children }: { summary: string; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="jppl-details" onToggle={e => setOpen(e.currentTarget.open)}>
      <summary>{summary}</summary>
      {open ? children : null}
    </details>
  );
}

export function Field({ label, hint, wide, children }: { label: string; hint?: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <label class={wide ? 'jppl-field jppl-field-wide' : 'jppl-field'}>
      <span class="jppl-label">{label}</span>
      {children}
      {hint ? <span class="jppl-hint">{hint}</span> : null}
    </label>
  );
}

export function Select({
  value,
  options,
  onChange,
  disabled,
  label
}: {
  value: string;
  options: readonly (readonly [string, string])[];
  onChange(value: string): void;
  disabled?: boolean;
  label?: string;
}) {
  return (
    <span class="jppl-select">
      <select value={value} disabled={disabled} aria-label={label} onChange={e => onChange(e.currentTarget.value)}>
        {options.map(([id, name]) => (
          <option key={id} value={id} selected={id === value}>
            {name}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </span>
  );
}

/** The wheel scrolls the page; it would change the number that has the focus, unseen. */
export function onWheel(event: TargetedEvent<HTMLInputElement>): void {
  event.currentTarget.blur();
}

/** A number box that tells of a value only when it is one; what is typed stays as it is typed. */
export function NumberBox({
  value,
  onChange,
  min,
  max,
  step,
  label,
  disabled,
  required,
  placeholder
}: {
  value: number | null;
  onChange(value: number | null): void;
  min?: number;
  max?: number;
  step?: number | 'any';
  label?: string;
  disabled?: boolean;
  required?: boolean;
  placeholder?: string;
}) {
  const shown = value === null ? '' : String(value);
  const [text, setText] = useState(shown);
  const told = useRef<number | null>(value);
  useEffect(() => {
    if (value !== told.current) {
      told.current = value;
      setText(shown);
    }
  }, [shown]);
  return (
    <input
      class="jppl-input jppl-numeric"
      type="number"
      value={text}
      min={min}
      max={max}
      step={step ?? 'any'}
      aria-label={label}
      disabled={disabled}
      required={required}
      placeholder={placeholder}
      onWheel={onWheel}
      onInput={e => {
        setText(e.currentTarget.value);
        const read = e.currentTarget.value.trim() === '' ? null : Number(e.currentTarget.value);
        if (read === null || Number.isFinite(read)) {
          told.current = read;
          onChange(read);
        }
      }}
    />
  );
}

/** The head of a column of a table by which it can be sorted. */
export function SortHead({
  text,
  order,
  onSort,
  look = ''
}: {
  text: string;
  order: 'ascending' | 'descending' | 'none';
  onSort(): void;
  look?: string;
}) {
  return (
    <th scope="col" class={look} aria-sort={order}>
      <button type="button" class="jppl-sort" onClick={onSort}>
        {text}
        <Icon name={order === 'ascending' ? 'up' : order === 'descending' ? 'down' : 'sort'} />
      </button>
    </th>
  );
}

export type Loaded<T> = { state: 'loading' } | { state: 'failed'; message: string; again(): void } | { state: 'ready'; value: T };

/**
 * Something of the server's that may fail to come; then it is asked for again when a connection was opened since, and by
 * `again`. `done` hears when a value is not needed any more.
 */
function useLoaded<T>(url: string | null, load: (url: string) => Promise<T>, done?: (value: T) => void): Loaded<T> | null {
  const { model, rest, trans } = useView();
  const [tries, setTries] = useState(0);
  const [loaded, setLoaded] = useState<{ url: string; began: number; result: Loaded<T> } | null>(null);
  const here = loaded?.url === url ? loaded : null;
  const again = (): void => setTries(n => n + 1);
  useEffect(() => {
    if (!url) {
      return;
    }
    let wanted = true;
    let had: { value: T } | null = null;
    const began = model.opened;
    load(url).then(
      value => {
        if (wanted) {
          had = { value };
          setLoaded({ url, began, result: { state: 'ready', value } });
        } else {
          done?.(value);
        }
      },
      error => wanted && setLoaded({ url, began, result: { state: 'failed', message: messageOf(error, trans), again } })
    );
    return () => {
      wanted = false;
      if (had) {
        done?.(had.value);
      }
    };
  }, [url, rest, tries]);
  const late = here?.result.state === 'failed' && here.began < model.opened;
  useEffect(() => {
    if (late) {
      again();
    }
  }, [late, model.opened]);
  return url ? (here?.result ?? { state: 'loading' }) : null;
}

const jsonCache = new WeakMap<object, Map<string, Promise<any>>>();

/** An asset's JSON; fetched once for each view. */
export function useJson<T>(url: string | null): Loaded<T> | null {
  const { rest } = useView();
  return useLoaded<T>(url, asset => {
    let cache = jsonCache.get(rest);
    if (!cache) {
      jsonCache.set(rest, (cache = new Map()));
    }
    let pending = cache.get(asset);
    if (!pending) {
      pending = rest.asset(asset).then(async blob => JSON.parse(await blob.text()));
      cache.set(asset, pending);
      pending.catch(() => cache.delete(asset));
      if (cache.size > 60) {
        cache.delete(cache.keys().next().value!);
      }
    }
    return pending;
  });
}

/** Why something is not there, and that it comes with the connection, or the way to ask for it again. */
export function Missing({ of }: { of: { message: string; again(): void } }) {
  const { model, trans } = useView();
  return model.connection === 'open' ? (
    <p class="jppl-note">
      {of.message}{' '}
      <button type="button" class="jppl-link" onClick={of.again}>
        {trans.__('Try again')}
      </button>
    </p>
  ) : (
    <p class="jppl-note">{trans.__('This could not be loaded; it comes when the connection is back.')}</p>
  );
}

/** A picture among the assets. */
export function AssetImage({ url, alt }: { url: string; alt: string }) {
  const { rest } = useView();
  const loaded = useLoaded(url, async asset => URL.createObjectURL(await rest.asset(asset)), URL.revokeObjectURL);
  if (loaded?.state === 'failed') {
    return <Missing of={loaded} />;
  }
  return loaded?.state === 'ready' ? <img class="jppl-picture" src={loaded.value} alt={alt} /> : <span class="jppl-picture" />;
}
