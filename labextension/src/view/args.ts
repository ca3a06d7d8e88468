/** The arguments of a plugin's command, read off its JSON Schema: what a form asks for, and what it sends. */

import type { Json } from './records';

export type ArgumentKind = 'number' | 'whole' | 'truth' | 'choice' | 'text' | 'json';

export interface Argument {
  name: string;
  kind: ArgumentKind;
  /** Of a choice. */
  choices: readonly Json[];
  hint: string;
  required: boolean;
  /** What the command takes where nothing is sent; undefined if it says nothing of that. */
  fallback: Json | undefined;
  min?: number;
  max?: number;
}

/** The arguments that a schema describes, in its order; of one that describes no members there are none. */
export function argumentsOf(schema: Json): Argument[] {
  const root = resolved(schema, schema);
  const required = new Set<string>(root.required ?? []);
  return Object.entries<Json>(root.properties ?? {}).map(([name, described]) => {
    const own = resolved(described, schema);
    return {
      name,
      kind: kindOf(own),
      choices: own.enum ?? [],
      hint: String(described.description ?? ''),
      required: required.has(name),
      fallback: described.default,
      min: own.minimum ?? own.exclusiveMinimum,
      max: own.maximum ?? own.exclusiveMaximum
    };
  });
}

/**
 * What a form sends: what was typed, as the schema has it. What was left open is not sent, so that the command's own
 * default counts. Throws SyntaxError for what should be JSON and is not.
 */
export function sentArguments(args: readonly Argument[], typed: Readonly<Record<string, Json>>): Record<string, Json> {
  const sent: Record<string, Json> = {};
  for (const { name, kind } of args) {
    const value = typed[name];
    if (value !== undefined && value !== null && value !== '') {
      sent[name] = kind === 'json' ? JSON.parse(value) : value;
    }
  }
  return sent;
}

/** A schema with what it refers to in its place; of one that may also be null, the rest. */
function resolved(schema: Json, root: Json): Json {
  let here = schema;
  for (let depth = 0; depth < 20; depth += 1) {
    const others = Array.isArray(here.anyOf) ? here.anyOf.filter((one: Json) => one.type !== 'null') : [];
    if (typeof here.$ref === 'string') {
      here = here.$ref
        .replace('#/', '')
        .split('/')
        .reduce((part: Json, key: string) => part?.[key] ?? {}, root);
    } else if (others.length === 1) {
      here = others[0];
    } else {
      break;
    }
  }
  return here;
}

function kindOf(schema: Json): ArgumentKind {
  if (Array.isArray(schema.enum)) {
    return 'choice';
  }
  switch (schema.type) {
    case 'number':
      return 'number';
    case 'integer':
      return 'whole';
    case 'boolean':
      return 'truth';
    case 'string':
      return 'text';
    default:
      return 'json';
  }
}
