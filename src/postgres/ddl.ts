/**
 * The only way to write a statement with a name in it. The tag takes names, literals and other tagged statements, quotes
 * each in its own way, and nothing else but whole numbers: a string cannot get into a statement by accident.
 */
import type { RelationName } from '../domain/relation.ts';

declare const STATEMENT: unique symbol;

/** One SQL statement, or a part of one, in which everything is quoted. */
export interface Statement {
  readonly text: string;
  readonly [STATEMENT]?: never;
}

export interface Identifier {
  readonly identifier: string;
}

export interface Literal {
  readonly literal: string;
}

export type Quotable = RelationName | Identifier | Literal | Statement | readonly Statement[] | number;

export const identifier = (name: string): Identifier => ({ identifier: name });
export const literal = (value: string): Literal => ({ literal: value });

/** `ddl\`drop table ${relation}\``; an array of statements is joined with commas. */
export const ddl = (strings: TemplateStringsArray, ...values: readonly Quotable[]): Statement => ({
  text: strings.reduce((text, string, index) => text + quote(values[index - 1]) + string),
});

function quote(value: Quotable | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return wholeNumber(value);
  if (isList(value)) return value.map(({ text }) => text).join(', ');
  if ('text' in value) return value.text;
  if ('identifier' in value) return quoteIdentifier(value.identifier);
  if ('literal' in value) return quoteLiteral(value.literal);
  return `${quoteIdentifier(value.schema)}.${quoteIdentifier(value.name)}`;
}

const isList = (value: Quotable): value is readonly Statement[] => Array.isArray(value);

// Always quoted: whether a word is reserved depends on the server's version.
const quoteIdentifier = (name: string): string => `"${withoutNul(name).replaceAll('"', '""')}"`;

// standard_conforming_strings is pinned on, so a backslash is a backslash.
const quoteLiteral = (value: string): string => `'${withoutNul(value).replaceAll("'", "''")}'`;

function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not a whole number`);
  return String(value);
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new TypeError('a NUL character cannot be part of an SQL statement');
  return text;
}
