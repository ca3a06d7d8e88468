/** One value for all columns that are chosen, and the way back. */

import { useRef, useState } from 'preact/hooks';
import { useView } from '../context';
import { Select } from '../parts';
import type { ColumnTableProps } from './columntable';

/** It is there also while nothing is chosen, so that the table does not move when something is. */
export function BulkBar({
  taken,
  hidden,
  values,
  options,
  texts,
  onSet,
  onClear
}: {
  taken: readonly string[];
  /** How many of them are not found by the search. */
  hidden: number;
  values: Readonly<Record<string, string>>;
  options: ColumnTableProps['options'];
  texts: ColumnTableProps['texts'];
  onSet(changes: readonly (readonly [string, string])[]): void;
  onClear(): void;
}) {
  const { trans } = useView();
  const [value, setValue] = useState('');
  const [done, setDone] = useState<{ text: string; before: [string, string][] } | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const ready = taken.length > 0 && value !== '';
  const apply = (): void => {
    const before = taken.filter(name => values[name] !== value).map((name): [string, string] => [name, values[name]]);
    const word = options.find(([id]) => id === value)?.[1] ?? value;
    onSet(before.map(([name]) => [name, value]));
    setDone({ before, text: trans._n('%1 column set to: %2.', '%1 columns set to: %2.', taken.length, word) });
  };
  const takeBack = (): void => {
    onSet(done!.before);
    setDone(null);
    button.current?.focus(); // where one goes on from, as this control goes
  };
  return (
    <div class="jppl-bulk" role="group" aria-label={texts.several}>
      <span class="jppl-bulk-text">
        <span aria-live="polite">
          {taken.length === 0
            ? trans.__('Select columns to change several at once; Shift selects a range.')
            : hidden
              ? trans._n(
                  '%1 column selected; %2 of them not found by the search',
                  '%1 columns selected; %2 of them not found by the search',
                  taken.length,
                  hidden
                )
              : trans._n('%1 column selected', '%1 columns selected', taken.length)}
        </span>{' '}
        {taken.length ? (
          <button type="button" class="jppl-link" onClick={onClear}>
            {trans.__('Clear')}
          </button>
        ) : null}
      </span>
      <Select
        label={texts.several}
        value={value}
        disabled={taken.length === 0}
        options={[['', texts.unchosen], ...options]}
        onChange={setValue}
      />
      <button
        type="button"
        ref={button}
        class="jppl-button"
        aria-disabled={!ready}
        onClick={() => ready && apply()}
      >
        {taken.length ? trans._n('Set for %1 column', 'Set for %1 columns', taken.length) : trans.__('Set')}
      </button>
      <span class={`jppl-bulk-done ${done ? '' : 'jppl-visually-hidden'}`}>
        <span aria-live="polite">{done?.text}</span>{' '}
        {done?.before.length ? (
          <button type="button" class="jppl-link" onClick={takeBack}>
            {trans.__('Take back')}
          </button>
        ) : null}
      </span>
    </div>
  );
}
