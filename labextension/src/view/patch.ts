/** Edits of a plan: by JSON Pointer (RFC 6901), sent as a JSON Patch (RFC 6902). */

import type { Json, Plan } from './records';

export type Edits = ReadonlyMap<string, Json>;

export function pointer(...parts: string[]): string {
  return parts.map(part => `/${part.replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
}

/** The names on the way to a member, from its pointer. */
export function partsOf(path: string): string[] {
  return path
    .slice(1)
    .split('/')
    .map(part => part.replace(/~1/g, '/').replace(/~0/g, '~'));
}

export function valueAt(plan: Plan, path: string): Json {
  return partsOf(path).reduce<Json>((value, part) => value?.[part], plan);
}

/** Whether two JSON values are the same. */
export function same(a: Json, b: Json): boolean {
  if (a === b) {
    return true;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return false;
  }
  const keys = Object.keys(a);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(b).length &&
    keys.every(key => key in b && same(a[key], b[key]))
  );
}

/** The plan with the edits in it. */
export function edited(plan: Plan, edits: Edits): Plan {
  const copy = structuredClone(plan);
  for (const [path, value] of edits) {
    const parts = partsOf(path);
    const last = parts.pop()!;
    const holder = parts.reduce<Json>((found, part) => found?.[part], copy);
    if (holder && typeof holder === 'object') {
      holder[last] = value;
    }
  }
  return copy;
}

/** Edits that still say something of a plan: not those of members that are gone, or that it has as it is. */
export function rebased(plan: Plan, edits: Edits): Map<string, Json> {
  return new Map(
    [...edits].filter(([path, value]) => {
      const old = valueAt(plan, path);
      return old !== undefined && !same(old, value);
    })
  );
}

/** So many changes of one member are named one by one; of more the member is replaced whole, as a patch may not have any number. */
const MOST = 1000;

export function patchOf(plan: Plan, edits: Edits): { op: 'replace'; path: string; value: Json }[] {
  const counts = new Map<string, number>();
  for (const path of edits.keys()) {
    const [member] = partsOf(path);
    counts.set(member, (counts.get(member) ?? 0) + 1);
  }
  const whole = [...counts].filter(([, n]) => n > MOST).map(([member]) => member);
  const next = whole.length ? edited(plan, edits) : plan;
  return [
    ...whole.map(member => ({ op: 'replace' as const, path: pointer(member), value: next[member] })),
    ...[...edits]
      .filter(([path]) => !whole.includes(partsOf(path)[0]))
      .map(([path, value]) => ({ op: 'replace' as const, path, value }))
  ];
}

/** Where what was asked differs from a plan, column by column. */
export function changesOf(plan: Plan, asked: Record<string, Json>): { op: 'replace'; path: string; value: Json }[] {
  const changed = (old: Json, value: Json, ...at: string[]): { op: 'replace'; path: string; value: Json }[] =>
    old === undefined || same(old, value)
      ? []
      : isObject(old) && isObject(value) && at.length === 1
        ? Object.entries(value).flatMap(([key, v]) => changed(old[key], v, ...at, key))
        : [{ op: 'replace', path: pointer(...at), value }];
  return Object.entries(asked).flatMap(([member, value]) => changed(plan[member], value, member));
}

function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of the plan that the edits are in. */
export function membersOf(edits: Edits): string[] {
  return [...new Set([...edits.keys()].map(path => partsOf(path)[0]))];
}

/** The changed members as `params` of a restart. */
export function paramsOf(plan: Plan, edits: Edits): Record<string, Json> {
  const next = edited(plan, edits);
  return Object.fromEntries(membersOf(edits).map(member => [member, next[member]]));
}
