/** Names of relations. They address things; they never decide anything. */

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

/** PostgreSQL cuts longer identifiers silently (NOTICE only), so we never hand it one. */
export const MAX_IDENTIFIER_BYTES = 63;

export const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/**
 * Reads `schema.table` as PostgreSQL's own `regclass` would, except that the schema must be given: unquoted parts are folded
 * to lower case, `"Quoted.Part"` is taken as it stands and `""` inside quotes is one quote.
 *
 * @returns the name, or the reason why the text is none
 */
export function parseRelationName(text: string): RelationName | { readonly problem: string } {
  const parts: string[] = [];
  let rest = text.trim();
  while (parts.length < 3) {
    const match = /^(?:"(?<quoted>(?:[^"]|"")+)"|(?<bare>[\p{L}_][\p{L}\p{N}_$]*))(?<dot>\.?)/u.exec(rest);
    if (!match?.groups)
      return { problem: `'${text}' is not a table name: write schema.table, with double quotes where needed` };
    const { quoted, bare, dot } = match.groups;
    parts.push(quoted === undefined ? foldCase(bare ?? '') : quoted.replaceAll('""', '"'));
    rest = rest.slice(match[0].length);
    if (dot === '') break;
  }
  const [schema, name, extra] = parts;
  if (rest !== '' || extra !== undefined)
    return { problem: `'${text}' is not a table name: write schema.table, with double quotes where needed` };
  if (schema === undefined || name === undefined)
    return { problem: `'${text}' names no schema: write it as schema.table (search_path is not consulted)` };
  const long = parts.find(part => byteLength(part) > MAX_IDENTIFIER_BYTES);
  if (long !== undefined)
    return { problem: `'${long}' is ${byteLength(long)} bytes long, PostgreSQL's identifiers end at 63` };
  if (parts.some(part => part.includes('\0'))) return { problem: 'a name cannot contain a NUL character' };
  return { schema, name };
}

// ASCII only, as PostgreSQL does in multibyte encodings.
const foldCase = (text: string): string => text.replace(/[A-Z]/g, letter => letter.toLowerCase());

const NEEDS_NO_QUOTES = /^[\p{Ll}_][\p{Ll}\p{N}_$]*$/u;

const part = (text: string): string => (NEEDS_NO_QUOTES.test(text) ? text : `"${text.replaceAll('"', '""')}"`);

/** The spelling for people, configuration, labels and payloads: quotes only where {@link parseRelationName} needs them. */
export const formatRelationName = ({ schema, name }: RelationName): string => `${part(schema)}.${part(name)}`;

/** The same, fit to be pasted after a prompt. */
export const formatForShell = (relation: RelationName): string => {
  const name = formatRelationName(relation);
  return /^[\w.]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
};

export const isSameRelation = (a: RelationName, b: RelationName): boolean => a.schema === b.schema && a.name === b.name;
