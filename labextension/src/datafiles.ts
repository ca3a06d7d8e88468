/** Names of files that hold tables which the server can read (TABLE_SUFFIXES and PACKED_SUFFIXES of automl/opening.py). */

const TABLES = [
  'csv', 'tsv', 'tab', 'txt', 'data', 'dat', 'parquet', 'pq', 'feather', 'arrow', 'ipc', 'arrows', 'json', 'ndjson',
  'jsonl', 'xlsx', 'xls', 'xlsb', 'xlsm', 'ods'
];
const PACKED = ['gz', 'zst', 'bz2', 'xz', 'zip'];

/** For an input of files. */
export const ACCEPTED = [...TABLES, ...PACKED].map(ending => `.${ending}`).join(',');

/** Most texts are no tables; one that is can be attached. */
const SURELY = TABLES.filter(ending => !['txt', 'data', 'dat'].includes(ending));
const NAME = new RegExp(`\\.(${SURELY.join('|')})(\\.(${PACKED.join('|')}))?$`, 'i');

/** Whether a file's name says that it holds a table. */
export function isDataFile(name: string): boolean {
  return NAME.test(name);
}

/** A data file's name without folders and endings. */
export function stemOf(path: string): string {
  return path.split('/').pop()!.replace(NAME, '');
}
