/** All columns in a table: what is known of each, and a choice for each, or for many at once. */

import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { useView } from '../context';
import { compact, count, percent } from '../numbers';
import { Loaded, Missing, Select, SortHead, useJson } from '../parts';
import type { Json } from '../records';
import { BulkBar } from './bulk';
import { kindName } from './columnwords';
import type { PlanForm } from './form';
import { between, choose, Chosen, share } from './selection';

const NONE: Record<string, ColumnProfile> = {};

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

/** Columns that one page of a table has. */
const PAGE = 40;
/** From so many columns on it is worth to change several at once. */
const SEVERAL = 6;
/** From so many columns on it is worth to search. */
const MANY = 12;

type Sorted = { by: 'name' | 'kind' | 'missing'; down: boolean } | null;

/** What the profile says of each column; null while there is none. */
function useProfile(): Loaded<{ columns: Record<string, ColumnProfile> }> | null {
  const { model } = useView();
  let url: string | null = null;
  for (const artifact of model.artifacts.values()) {
    if (artifact.url.endsWith('.profile.json')) {
      url = artifact.url;
    }
  }
  return useJson(url);
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

export interface ColumnTableProps {
  form: PlanForm;
  /** The member of the plan that has a value for each column. */
  member: 'roles' | 'columns';
  options: readonly (readonly [string, string])[];
  texts: { head: string; one(name: string): string; several: string; unchosen: string };
  /** What stands in place of a choice where there is none to make. */
  fixed?: (name: string) => ComponentChildren;
  why?: (name: string) => string | undefined;
}

export function ColumnTable({ form, member, options, texts, fixed, why }: ColumnTableProps) {
  const { trans } = useView();
  const loaded = useProfile();
  const profile = loaded?.state === 'ready' ? loaded.value.columns : NONE;
  const values: Record<string, string> = form.plan[member] ?? {};
  const names = Object.keys(values);
  const [search, setSearch] = useState('');
  const [kind, setKind] = useState('');
  const [sorted, setSorted] = useState<Sorted>(null);
  const [most, setMost] = useState(PAGE);
  const [chosen, setChosen] = useState<Chosen>(new Set());
  /** Where a range begins. */
  const anchor = useRef<string | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);

  const kinds = useMemo(() => {
    const counts = new Map<string, number>();
    names.forEach(name => profile[name] && counts.set(profile[name].kind, (counts.get(profile[name].kind) ?? 0) + 1));
    return [...counts].sort((a, b) => b[1] - a[1]);
  }, [profile, names.length]);
  const found = ordered(
    names.filter(
      name => (!search || name.toLowerCase().includes(search.toLowerCase())) && (!kind || profile[name]?.kind === kind)
    ),
    profile,
    sorted
  );
  const open = names.filter(name => !fixed?.(name));
  const several = open.length >= SEVERAL;
  const changeable = found.filter(name => !fixed?.(name));
  // A column may be gone from the plan since it was chosen.
  const taken = open.filter(name => chosen.has(name));
  const narrowed = found.length < names.length;

  const pick = (name: string, on: boolean, range: boolean): void => {
    const shown = changeable.slice(0, most);
    setChosen(choose(chosen, range ? between(shown, anchor.current, name) : [name], on));
    anchor.current = name;
  };
  /** Up and down, and with Shift the choice goes along. */
  const move = (event: KeyboardEvent, name: string): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) {
      return;
    }
    event.preventDefault();
    const boxes = [...body.current!.querySelectorAll<HTMLInputElement>('.jppl-pick input')];
    const next = boxes[boxes.indexOf(event.currentTarget as HTMLInputElement) + step];
    next?.focus();
    if (event.shiftKey && next) {
      setChosen(choose(chosen, [name, next.value], true));
      anchor.current = next.value;
    }
  };
  const set = (changes: readonly (readonly [string, Json])[]): void =>
    form.setAll(changes.map(([name, value]) => [[member, name], value] as const));
  const head = (by: 'name' | 'kind' | 'missing', text: string, look = '') => (
    <SortHead
      text={text}
      look={look}
      order={sorted?.by === by ? (sorted.down ? 'descending' : 'ascending') : 'none'}
      // Once more for the other way round, and a third time for the order of the file.
      onSort={() =>
        setSorted(sorted?.by !== by ? { by, down: by === 'missing' } : sorted.down === (by === 'missing') ? { by, down: !sorted.down } : null)
      }
    />
  );
  return (
    <>
      {names.length > MANY ? (
        <div class="jppl-filter">
          <input
            class="jppl-input jppl-search"
            type="search"
            placeholder={trans.__('Find a column')}
            aria-label={trans.__('Find a column')}
            value={search}
            onInput={e => setSearch(e.currentTarget.value)}
          />
          {kinds.length > 1 ? (
            <Select
              label={trans.__('Kind of the columns')}
              value={kind}
              options={[['', trans.__('every kind')], ...kinds.map(([id, n]): [string, string] => [id, `${kindName(id, trans)} (${count(n)})`])]}
              onChange={setKind}
            />
          ) : null}
          <span class="jppl-muted" aria-live="polite">
            {narrowed ? trans.__('%1 of %2 columns', count(found.length), count(names.length)) : ''}
          </span>
        </div>
      ) : null}
      {several ? (
        <BulkBar
          taken={taken}
          hidden={taken.length - changeable.filter(name => chosen.has(name)).length}
          values={values}
          options={options}
          texts={texts}
          onSet={set}
          onClear={() => {
            setChosen(new Set());
            body.current?.closest('table')?.querySelector('input')?.focus(); // the button is gone
          }}
        />
      ) : null}
      <div class="jppl-scroll">
        <table class="jppl-table jppl-columns">
          <thead>
            <tr>
              {several ? (
                <th scope="col" class="jppl-pick">
                  <All
                    state={share(chosen, changeable)}
                    label={
                      narrowed
                        ? trans._n('Select the %1 column found', 'Select the %1 columns found', changeable.length)
                        : trans.__('Select all %1 columns', changeable.length)
                    }
                    onChange={on => setChosen(choose(chosen, changeable, on))}
                  />
                </th>
              ) : null}
              {head('name', trans.__('Column'))}
              <th scope="col">{texts.head}</th>
              {head('kind', trans.__('Kind'), 'jppl-wide')}
              {head('missing', trans.__('Missing'), 'jppl-numeric')}
              <th scope="col" class="jppl-wide">
                {trans.__('Values')}
              </th>
            </tr>
          </thead>
          <tbody ref={body}>
            {found.slice(0, most).map(name => {
              const instead = fixed?.(name);
              return (
                <tr key={name} class={`${form.isEdited(member, name) ? 'jppl-edited' : ''} ${chosen.has(name) ? 'jppl-chosen-row' : ''}`}>
                  {several ? (
                    <td class="jppl-pick">
                      {instead ? null : (
                        <input
                          type="checkbox"
                          value={name}
                          aria-label={trans.__('Select %1', name)}
                          checked={chosen.has(name)}
                          onMouseDown={e => {
                            if (e.shiftKey) {
                              e.preventDefault(); // the text between would be marked
                              e.currentTarget.focus();
                            }
                          }}
                          onClick={e => pick(name, e.currentTarget.checked, e.shiftKey)}
                          onKeyDown={e => move(e, name)}
                        />
                      )}
                    </td>
                  ) : null}
                  <th scope="row" title={[name, why?.(name)].filter(Boolean).join('\n')}>
                    <bdi>{name}</bdi>
                  </th>
                  <td>
                    {instead || (
                      <Select
                        label={texts.one(name)}
                        value={values[name]}
                        options={options}
                        onChange={value => form.set([member, name], value)}
                      />
                    )}
                  </td>
                  <td class="jppl-wide jppl-muted">{profile[name] ? kindName(profile[name].kind, trans) : ''}</td>
                  <td class="jppl-numeric">
                    {profile[name] ? percent(profile[name].missing_share, 1) : ''}
                  </td>
                  <td class="jppl-wide jppl-values">
                    <bdi>{valuesOf(profile[name])}</bdi>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {loaded?.state === 'failed' ? <Missing of={loaded} /> : null}
      {found.length === 0 ? <p class="jppl-muted">{trans.__('No column is like that.')}</p> : null}
      {found.length > most ? (
        <button type="button" class="jppl-link" onClick={() => setMost(most + 200)}>
          {trans.__('Show more of %1 columns', found.length)}
        </button>
      ) : null}
    </>
  );
}

/** The box that chooses all that is found. */
function All({ state, label, onChange }: { state: 'all' | 'some' | 'none'; label: string; onChange(on: boolean): void }) {
  return (
    <input
      type="checkbox"
      aria-label={label}
      title={label}
      checked={state === 'all'}
      ref={box => {
        if (box) {
          box.indeterminate = state === 'some';
        }
      }}
      onClick={() => onChange(state !== 'all')}
    />
  );
}

function ordered(names: string[], profile: Record<string, ColumnProfile>, sorted: Sorted): string[] {
  if (!sorted) {
    return names;
  }
  const key = (name: string): string | number =>
    sorted.by === 'name' ? name : sorted.by === 'kind' ? (profile[name]?.kind ?? '') : (profile[name]?.missing_share ?? 0);
  const sign = sorted.down ? -1 : 1;
  return [...names].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    return sign * (typeof x === 'string' ? x.localeCompare(String(y), undefined, { numeric: true }) : x - Number(y));
  });
}
