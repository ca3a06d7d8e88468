/** Texts for people: JupyterLab's translations where it has some, else English. */

/** Translation as JupyterLab's TranslationBundle does it. */
export interface Translation {
  __(text: string, ...args: unknown[]): string;
  _n(singular: string, plural: string, n: number, ...args: unknown[]): string;
}

/** The places of a message (%1, %2, …) filled in. */
function filled(text: string, args: unknown[]): string {
  return text.replace(/%(\d)/g, (place, n) => (Number(n) <= args.length ? String(args[Number(n) - 1]) : place));
}

export const english: Translation = {
  __: (text, ...args) => filled(text, args),
  _n: (singular, plural, n, ...args) => filled(n === 1 ? singular : plural, [n, ...args])
};

/** Texts in the reader's language, and the language that numbers are written in. */
export interface Spoken {
  trans: Translation;
  language: string | null;
}

/** Where JupyterLab's part leaves its translations for a widget on the same page, which is a program of its own. */
const SHARED = Symbol.for('jupyter-pipeline:translation');

export function shareTranslation(spoken: Spoken): void {
  (globalThis as Record<symbol, unknown>)[SHARED] = spoken;
}

/** JupyterLab's translations where this page has them; elsewhere English. */
export function sharedTranslation(): Spoken {
  return ((globalThis as Record<symbol, unknown>)[SHARED] as Spoken | undefined) ?? { trans: english, language: null };
}
