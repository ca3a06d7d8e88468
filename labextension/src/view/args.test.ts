// @ts-nocheck: Node's types are not among the front end's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsOf, sentArguments } from './args';

/** As msgspec writes it. */
const SCHEMA = {
  $ref: '#/$defs/Quick',
  $defs: {
    Quick: {
      title: 'Quick',
      type: 'object',
      properties: {
        name: { type: 'string' },
        seconds: { description: 'How long.', type: 'number', exclusiveMinimum: 0, maximum: 600, default: 10.0 },
        rounds: { anyOf: [{ type: 'integer' }, { type: 'null' }], default: null },
        loud: { type: 'boolean', default: false },
        kind: { $ref: '#/$defs/Kind', default: 'a' },
        columns: { type: 'array', items: { type: 'string' }, default: [] }
      },
      required: ['name'],
      additionalProperties: false
    },
    Kind: { enum: ['a', 'b'] }
  }
};

test('a schema becomes boxes', () => {
  const args = argumentsOf(SCHEMA);
  assert.deepEqual(
    args.map(({ name, kind, required }) => [name, kind, required]),
    [
      ['name', 'text', true],
      ['seconds', 'number', false],
      ['rounds', 'whole', false],
      ['loud', 'truth', false],
      ['kind', 'choice', false],
      ['columns', 'json', false]
    ]
  );
  const [, seconds, , , kind] = args;
  assert.deepEqual([seconds.min, seconds.max, seconds.hint, seconds.fallback], [0, 600, 'How long.', 10]);
  assert.deepEqual(kind.choices, ['a', 'b']);
});

test('what was typed is sent, and nothing else', () => {
  const args = argumentsOf(SCHEMA);
  assert.deepEqual(sentArguments(args, {}), {});
  assert.deepEqual(sentArguments(args, { name: 'x', seconds: null, loud: false, columns: '["a"]', other: 1 }), {
    name: 'x',
    loud: false,
    columns: ['a']
  });
  assert.throws(() => sentArguments(args, { columns: '[' }), SyntaxError);
});

test('a schema that says nothing, or refers to itself, has no boxes', () => {
  assert.deepEqual(argumentsOf({}), []);
  assert.deepEqual(argumentsOf({ $ref: '#/$defs/No' }), []);
  assert.deepEqual(argumentsOf({ $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/A' } } }), []);
});
