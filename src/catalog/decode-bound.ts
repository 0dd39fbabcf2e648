/**
 * `pg_get_expr(relpartbound, 0)` → bound. The text is tokenised, not matched: a list bound may well contain `') TO ('`.
 * Whatever is not proven to be a range of time comes out as opaque, and opaque is never touched.
 */

import type { Bound, PartitionBound } from '../domain/bound.ts';
import type { PartitionKey } from '../domain/facts.ts';
import { decodeKeyTime } from '../domain/key-text.ts';
import type { KeyType } from '../domain/time.ts';

type Token = { readonly kind: 'word' | 'symbol' | 'string'; readonly text: string };

/** @param text as printed with TimeZone UTC and DateStyle ISO */
export function decodeBound(text: string | null, key: PartitionKey): PartitionBound {
  if (text === null) return opaque('the catalog shows no bound');
  const tokens = tokenise(text);
  if (tokens === undefined) return opaque('the bound cannot be read');
  if (tokens.length === 1 && tokens[0]?.text === 'DEFAULT') return { kind: 'default' };
  if (key.kind === 'unsupported') return opaque(key.because);
  const ends = rangeEnds(tokens);
  if (ends === undefined) return opaque('it is not a range of one column');
  return {
    kind: 'range',
    lower: decodeEnd(ends.lower, key.type, LOWEST),
    upper: decodeEnd(ends.upper, key.type, HIGHEST),
  };
}

const opaque = (because: string): PartitionBound => ({ kind: 'opaque', because });

/** FOR VALUES FROM ( value ) TO ( value ): with one column there is exactly one token between the parentheses. */
function rangeEnds(tokens: readonly Token[]): { readonly lower: Token; readonly upper: Token } | undefined {
  const [for_, values, from, open, lower, close, to, open2, upper, close2, ...rest] = tokens;
  const isFrame =
    isWord(for_, 'FOR') &&
    isWord(values, 'VALUES') &&
    isWord(from, 'FROM') &&
    isSymbol(open, '(') &&
    isSymbol(close, ')') &&
    isWord(to, 'TO') &&
    isSymbol(open2, '(') &&
    isSymbol(close2, ')') &&
    rest.length === 0;
  return isFrame && lower !== undefined && upper !== undefined ? { lower, upper } : undefined;
}

const isWord = (token: Token | undefined, text: string): boolean => token?.kind === 'word' && token.text === text;
const isSymbol = (token: Token | undefined, text: string): boolean => token?.kind === 'symbol' && token.text === text;

interface NoEnd {
  readonly word: string;
  readonly infinity: string;
}
const LOWEST: NoEnd = { word: 'MINVALUE', infinity: '-infinity' };
const HIGHEST: NoEnd = { word: 'MAXVALUE', infinity: 'infinity' };

// Each side has its own: FROM ('infinity') TO (MAXVALUE) holds the one value beyond all time, and covers none of it.
function decodeEnd({ kind, text }: Token, key: KeyType, noEnd: NoEnd): Bound {
  if (text === (kind === 'word' ? noEnd.word : noEnd.infinity)) return { kind: 'unbounded' };
  if (kind !== 'string') return { kind: 'opaque', text };
  const at = decodeKeyTime(text, key);
  return at === undefined ? { kind: 'opaque', text } : { kind: 'at', at };
}

/** Words, parentheses and commas, and strings with doubled quotes; anything else makes the text unreadable. */
function tokenise(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const pattern = /\s*(?:'(?<string>(?:[^']|'')*)'|(?<word>[A-Za-z_][A-Za-z0-9_]*|-?\d+(?:\.\d+)?)|(?<symbol>[(),]))/y;
  while (pattern.lastIndex < text.trimEnd().length) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) return undefined;
    if (groups.string !== undefined) tokens.push({ kind: 'string', text: groups.string.replaceAll("''", "'") });
    else if (groups.word !== undefined) tokens.push({ kind: 'word', text: groups.word });
    else tokens.push({ kind: 'symbol', text: groups.symbol ?? '' });
  }
  return tokens;
}
