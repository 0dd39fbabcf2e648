/** The file's shape as JSON Schema: for editors, for the reference, and to say which keys exist where. */
import { z } from 'zod';
import type { Path } from './problems.ts';
import { fileSchema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What the file may hold, without a thought for `${…}`. */
export const shapeOfFile: JsonSchema = z.toJSONSchema(fileSchema, { io: 'input' });

/** The JSON Schema (draft 2020-12) of partkeeper.yaml, for editors; docs/partkeeper.schema.json is its print. */
export const configJsonSchema = (): object => allowPlaceholders(shapeOfFile);

const PLACEHOLDER = { type: 'string', pattern: '^\\$\\{[^}]+\\}$' } as const;

// A number, a boolean or a word may come from the environment, too.
function allowPlaceholders(schema: JsonSchema): JsonSchema {
  const { enum: words, ...rest } = schema;
  const inner = {
    ...rest,
    ...(rest.properties && { properties: mapValues(rest.properties, allowPlaceholders) }),
    ...(isSchema(rest.additionalProperties) && { additionalProperties: allowPlaceholders(rest.additionalProperties) }),
    ...(isSchema(rest.items) && { items: allowPlaceholders(rest.items) }),
    ...(rest.anyOf && { anyOf: rest.anyOf.map(allowPlaceholders) }),
  };
  if (words !== undefined) return { ...inner, anyOf: [{ enum: words }, PLACEHOLDER] };
  if (rest.type === 'integer' || rest.type === 'number' || rest.type === 'boolean')
    return { ...inner, type: [rest.type, 'string'], pattern: PLACEHOLDER.pattern } as unknown as JsonSchema;
  return inner;
}

const mapValues = <T, U>(object: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

const isSchema = (schema: unknown): schema is JsonSchema =>
  typeof schema === 'object' && schema !== null && !Array.isArray(schema);

/** The schema itself, or that alternative of `off | keys` which has keys. */
export const withKeys = (schema: JsonSchema): JsonSchema =>
  asSchemas(schema.anyOf).find(({ properties }) => properties !== undefined) ?? schema;

const asSchemas = (schemas: readonly unknown[] | undefined): readonly JsonSchema[] => (schemas ?? []).filter(isSchema);

export const propertiesOf = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> =>
  (withKeys(schema).properties ?? {}) as Readonly<Record<string, JsonSchema>>;

/** What a set of names, such as `tables`, holds under each name. */
export const entryOf = ({ additionalProperties }: JsonSchema): JsonSchema | undefined =>
  isSchema(additionalProperties) ? additionalProperties : undefined;

/** The schema of what is at `path`, if there can be anything. */
export const shapeAt = (path: Path): JsonSchema | undefined =>
  path.reduce<JsonSchema | undefined>(
    (schema, segment) => schema && (propertiesOf(schema)[String(segment)] ?? entryOf(schema)),
    shapeOfFile,
  );
