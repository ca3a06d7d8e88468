/** Texts without a translation: English, with the places of JupyterLab's messages (%1, %2, …) filled in. */

import type { Translation } from './options';

function filled(text: string, args: unknown[]): string {
  return text.replace(/%(\d)/g, (place, n) => (Number(n) <= args.length ? String(args[Number(n) - 1]) : place));
}

export const english: Translation = {
  __: (text, ...args) => filled(text, args),
  _n: (singular, plural, n, ...args) => filled(n === 1 ? singular : plural, [n, ...args])
};
