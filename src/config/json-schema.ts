/** The file's shape as JSON Schema: for editors, for the reference, and to say which keys exist where. */
import { z } from 'zod';
import { isKeys } from './keys.ts';
import type { Path } from './problems.ts';
import { fileSchema } from './schema.ts';

/** The part of JSON Schema that the file's shape is made of. */
export interface Shape {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly string[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [key: string]: Shape };
  readonly additionalProperties?: Shape | false;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
}

const isShape = (value: unknown): value is Shape => isKeys(value);

/** What the file may hold, without a thought for `${…}`. */
export function shapeOfFile(): Shape {
  const shape: unknown = z.toJSONSchema(fileSchema, { io: 'input' });
  return isShape(shape) ? shape : {};
}

/** The JSON Schema (draft 2020-12) of partkeeper.yaml, for editors; docs/partkeeper.schema.json is its print. */
export const configJsonSchema = (): object => allowPlaceholders(shapeOfFile());

const PLACEHOLDER = { type: 'string', pattern: '^\\$\\{[^}]+\\}$' } as const;

// A number, a boolean or a word may come from the environment, too.
function allowPlaceholders(shape: Shape): Shape {
  const { enum: words, ...rest } = shape;
  const inner: Shape = {
    ...rest,
    ...(rest.properties && { properties: mapValues(rest.properties, allowPlaceholders) }),
    ...(rest.additionalProperties && { additionalProperties: allowPlaceholders(rest.additionalProperties) }),
    ...(rest.items && { items: allowPlaceholders(rest.items) }),
    ...(rest.anyOf && { anyOf: rest.anyOf.map(allowPlaceholders) }),
  };
  if (words !== undefined) return { ...inner, anyOf: [{ enum: words }, PLACEHOLDER] };
  if (rest.type === 'integer' || rest.type === 'number' || rest.type === 'boolean')
    return { ...inner, type: [rest.type, PLACEHOLDER.type], pattern: PLACEHOLDER.pattern };
  return inner;
}

const mapValues = <T, U>(object: Readonly<Record<string, T>>, change: (value: T) => U): Readonly<Record<string, U>> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/** The keys of a set of keys, also where the alternative is `off`. */
export const propertiesOf = ({ properties, anyOf = [] }: Shape): Readonly<Record<string, Shape>> =>
  properties ?? anyOf.find(alternative => alternative.properties)?.properties ?? {};

/** What a set of names, such as `tables`, holds under each name. */
export const entryOf = ({ additionalProperties }: Shape): Shape | undefined => additionalProperties || undefined;

/** The shape of what is at `path`, if there can be anything. */
export const shapeAt = (path: Path): Shape | undefined =>
  path.reduce<Shape | undefined>(
    (shape, segment) => shape && (propertiesOf(shape)[String(segment)] ?? entryOf(shape)),
    shapeOfFile(),
  );
