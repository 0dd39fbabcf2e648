import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { generateDocs } from '../../../scripts/generate-docs.ts';
import { BUNDLED_POLICY } from '../../../src/config/bundled-policy.ts';
import { settingNames, settingOf } from '../../../src/config/environment.ts';
import { EXAMPLE } from '../../../src/config/example.ts';
import { configJsonSchema, entryOf, propertiesOf, type Shape, shapeOfFile } from '../../../src/config/json-schema.ts';
import { configReference } from '../../../src/config/reference.ts';

/** What of JSON Schema our file needs: kinds, keys, words, alternatives. Returns the paths that do not fit. */
function misfits(schema: Shape, value: unknown, path = '$'): readonly string[] {
  if (schema.anyOf) return schema.anyOf.some(option => misfits(option, value, path).length === 0) ? [] : [path];
  if (schema.const !== undefined) return value === schema.const ? [] : [path];
  if (schema.enum) return schema.enum.some(word => word === value) ? [] : [path];
  if (
    !([schema.type ?? []].flat().includes(kindOf(value)) || (schema.type === 'number' && kindOf(value) === 'integer'))
  )
    return [path];
  if (typeof value === 'string') return new RegExp(schema.pattern ?? '').test(value) ? [] : [path];
  if (Array.isArray(value))
    return value.flatMap((item, index) => misfits(schema.items ?? {}, item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  const missing = (schema.required ?? []).filter(key => !(key in value)).map(key => `${path}.${key}`);
  const unfit = Object.entries(value).flatMap(([key, inner]) => {
    const shape = schema.properties?.[key] ?? entryOf(schema);
    return shape ? misfits(shape, inner, `${path}.${key}`) : [`${path}.${key}`];
  });
  return [...missing, ...unfit];
}

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
};

test.each([
  ['the example', EXAMPLE, []],
  ['the bundled policy', BUNDLED_POLICY, []],
  ['off', 'http: off\ntables: { a.b: { interval: day, analyze: off } }', []],
  ['variables in place of numbers and words', "database: { pool: '${POOL}' }\nlog: { level: '${LEVEL}' }", []],
  ['a section for queue and ledger', 'queue: { schema: q }\nledger: { retention: 2 years }', []],
  ['an unknown word for overlap', 'jobs: { retire: { overlap: wait } }', ['$.jobs.retire.overlap']],
  ['a missing interval', 'tables: { a.b: {} }', ['$.tables.a.b.interval']],
  ['an unknown key', 'databse: {}', ['$.databse']],
  ['an unknown word', 'log: { level: loud }', ['$.log.level']],
  ['a number as duration', 'tables: { a.b: { interval: day, retention: 90 } }', ['$.tables.a.b.retention']],
  ['text as number', 'database: { pool: many }', ['$.database.pool']],
])('the JSON Schema judges %s as the loader does', (_, yaml, expected) => {
  expect(misfits(configJsonSchema() as Shape, parse(yaml))).toEqual(expected);
});

/** Every key of the file with its shape. */
const allKeys = (shape: Shape): readonly (readonly [string, Shape])[] => {
  const inner = Object.entries(propertiesOf(shape));
  const entry = entryOf(shape);
  return [...inner, ...inner.flatMap(([, next]) => allKeys(next)), ...(entry ? allKeys(entry) : [])];
};

test('every key says what it is for', () => {
  const silent = allKeys(shapeOfFile()).filter(
    ([key, { description, properties }]) => !description && !properties && key !== '',
  );
  expect(silent).toEqual([]);
});

test('the reference names every key, variable and flag', () => {
  const reference = configReference();
  const keys = allKeys(shapeOfFile()).map(([key]) => key);
  const words = settingNames
    .map(settingOf)
    .flatMap(({ variable, fileVariable = '', flag = '' }) => [variable, fileVariable, flag]);
  expect([...keys, ...words].filter(word => !reference.includes(word))).toEqual([]);
});

test('the generated documents are what the code says', () => {
  expect(generateDocs(join(import.meta.dirname, '../../..'), { check: true })).toEqual([]);
});

test('documents that are not there are told by name, and only looked for', () => {
  const root = join(import.meta.dirname, '../../..');
  const present = ['docs', 'ops/grafana', 'ops/kubernetes/monitoring'].flatMap(folder =>
    readdirSync(join(root, folder)).map(file => `${folder}/${file}`),
  );
  expect(present).toEqual(expect.arrayContaining([...generateDocs('/nowhere', { check: true })]));
  expect(generateDocs('/nowhere', { check: true })).not.toEqual([]);
});
