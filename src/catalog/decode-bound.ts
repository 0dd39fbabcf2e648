/**
 * `pg_get_expr(relpartbound, 0)` → bound. The text is tokenised, not matched: a list bound may well contain `') TO ('`.
 * Whatever is not proven to be a range of time comes out as opaque, and opaque is never touched.
 */
import { Temporal } from 'temporal-polyfill';
import type { Bound, PartitionBound } from '../domain/bound.ts';
import type { PartitionKey } from '../domain/facts.ts';
import type { Instant, KeyType } from '../domain/time.ts';

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

const DATE = String.raw`(?<year>\d{4,6})-(?<month>\d\d)-(?<day>\d\d)`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d{1,6}))?`;
const ERA = '(?<bc> BC)?';
const SHAPES: { readonly [K in KeyType]: RegExp } = {
  timestamptz: new RegExp(String.raw`^${DATE} ${TIME}\+00${ERA}$`),
  timestamp: new RegExp(`^${DATE} ${TIME}${ERA}$`),
  date: new RegExp(`^${DATE}${ERA}$`),
};

/** Temporal ends in 275760, and a window, or a time zone, may reach a little beyond the bound that it starts from. */
const LAST_YEAR = 275_000;

/** A key's value in ISO style and UTC as key time (`domain/time.ts`); undefined when it is beyond what we can reckon with. */
export function decodeKeyTime(text: string, key: KeyType): Instant | undefined {
  const groups = SHAPES[key].exec(text)?.groups;
  if (!groups || Number(groups.year) > LAST_YEAR) return undefined;
  const number = (name: string): number => Number(groups[name] ?? 0);
  const micros = Number((groups.fraction ?? '').padEnd(6, '0'));
  try {
    return Temporal.ZonedDateTime.from(
      {
        timeZone: 'UTC',
        year: groups.bc ? 1 - number('year') : number('year'), // 1 BC is the year 0
        month: number('month'),
        day: number('day'),
        hour: number('hour'),
        minute: number('minute'),
        second: number('second'),
        millisecond: Math.floor(micros / 1000),
        microsecond: micros % 1000,
      },
      { overflow: 'reject' },
    ).toInstant();
  } catch {
    return undefined;
  }
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
