/** Names for people of what columns are, what they are for, and how they become features. */

import type { Translation } from '../../translation';

export function kindName(kind: string, trans: Translation): string {
  switch (kind) {
    case 'numeric':
      return trans.__('numbers');
    case 'integer':
      return trans.__('whole numbers');
    case 'boolean':
      return trans.__('yes or no');
    case 'categorical':
      return trans.__('categories');
    case 'text':
      return trans.__('text');
    case 'datetime':
      return trans.__('dates');
    case 'id':
      return trans.__('identifier');
    case 'constant':
      return trans.__('always the same');
    case 'empty':
      return trans.__('empty');
    default:
      return kind;
  }
}

/** The roles that a person can give; `target` is decided with the data. */
export function roleOptions(trans: Translation): [string, string][] {
  return [
    ['feature', trans.__('feature')],
    ['id', trans.__('identifier')],
    ['time', trans.__('time')],
    ['group', trans.__('group')],
    ['ignore', trans.__('leave out')]
  ];
}

export function treatmentOptions(trans: Translation): [string, string][] {
  return [
    ['numeric', trans.__('as numbers')],
    ['onehot', trans.__('a column for each category')],
    ['ordinal', trans.__('as ordered categories')],
    ['target_encode', trans.__('encoded by the target')],
    ['text', trans.__('as text')],
    ['datetime', trans.__('as dates')],
    ['boolean', trans.__('as yes or no')],
    ['drop', trans.__('leave out')]
  ];
}
