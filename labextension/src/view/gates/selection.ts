/** Which of many columns are chosen, to change them at once. */

export type Chosen = ReadonlySet<string>;

/** The names from one to another in the order that is shown; `to` alone where `from` is not shown. */
export function between(shown: readonly string[], from: string | null, to: string): string[] {
  const [a, b] = [from === null ? -1 : shown.indexOf(from), shown.indexOf(to)];
  return a < 0 || b < 0 ? [to] : shown.slice(Math.min(a, b), Math.max(a, b) + 1);
}

/** The choice with these names in it, or without them. */
export function choose(chosen: Chosen, names: Iterable<string>, on: boolean): Set<string> {
  const next = new Set(chosen);
  for (const name of names) {
    if (on) {
      next.add(name);
    } else {
      next.delete(name);
    }
  }
  return next;
}

/** How many of these names are chosen. */
export function share(chosen: Chosen, names: readonly string[]): 'all' | 'some' | 'none' {
  const count = names.reduce((n, name) => n + Number(chosen.has(name)), 0);
  return count === 0 ? 'none' : count === names.length ? 'all' : 'some';
}
