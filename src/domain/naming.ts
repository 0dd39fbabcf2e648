/** What a new partition is called. Only creation uses names, and only to choose one; nothing is ever recognised by its name. */
import type { Window } from './interval.ts';
import { byteLength, MAX_IDENTIFIER_BYTES } from './relation.ts';

/** The placeholders of a name template, and the ISO 8601 fields they stand for, read in the calendar zone of the table. */
export const NAME_FIELDS = {
  YYYY: at => String(at.year).padStart(4, '0'),
  MM: at => pad(at.month),
  DD: at => pad(at.day),
  HH: at => pad(at.hour),
  Q: at => String(Math.ceil(at.month / 3)),
  GGGG: at => String(at.yearOfWeek ?? at.year).padStart(4, '0'),
  WW: at => pad(at.weekOfYear ?? 0),
} as const satisfies Record<string, (at: ReturnType<Window['lower']['toZonedDateTimeISO']>) => string>;

const pad = (value: number): string => String(value).padStart(2, '0');

/** The shape of each field in a name, for finding out which names are taken. */
const FIELD_PATTERN: { readonly [K in keyof typeof NAME_FIELDS]: string } = {
  YYYY: '[0-9]{4,}',
  MM: '[0-9]{2}',
  DD: '[0-9]{2}',
  HH: '[0-9]{2}',
  Q: '[1-4]',
  GGGG: '[0-9]{4,}',
  WW: '[0-9]{2}',
};

/** The default template of each interval; quarters and weeks read as in ISO 8601. */
export const DEFAULT_NAME = {
  hour: '{table}_{YYYY}_{MM}_{DD}_{HH}',
  day: '{table}_{YYYY}_{MM}_{DD}',
  week: '{table}_{GGGG}_w{WW}',
  month: '{table}_{YYYY}_{MM}',
  quarter: '{table}_{YYYY}_q{Q}',
  year: '{table}_{YYYY}',
} as const;

type Field = keyof typeof NAME_FIELDS;

const isField = (word: string): word is Field => Object.hasOwn(NAME_FIELDS, word);

/** The fields without which two windows of the interval would get one name. */
const NEEDED: { readonly [K in keyof typeof DEFAULT_NAME]: readonly (readonly Field[])[] } = {
  hour: [['YYYY', 'MM', 'DD', 'HH']],
  day: [['YYYY', 'MM', 'DD']],
  week: [
    ['GGGG', 'WW'],
    ['YYYY', 'MM', 'DD'],
  ],
  month: [['YYYY', 'MM']],
  quarter: [
    ['YYYY', 'Q'],
    ['YYYY', 'MM'],
  ],
  year: [['YYYY']],
};

const PLACEHOLDER = /\{([^}]*)\}/g;

const words = (template: string): readonly string[] => [...template.matchAll(PLACEHOLDER)].map(match => match[1] ?? '');

/** Why `template` cannot name the partitions of `interval`, or undefined when it can. */
export function problemOfTemplate(template: string, interval: keyof typeof DEFAULT_NAME): string | undefined {
  const used = words(template);
  const unknown = used.find(word => word !== 'table' && !isField(word));
  if (unknown !== undefined)
    return `has the unknown placeholder {${unknown}}: use {table}, ${Object.keys(NAME_FIELDS)
      .map(field => `{${field}}`)
      .join(', ')}`;
  if (/[{}]/.test(template.replaceAll(PLACEHOLDER, ''))) return 'has a brace that belongs to no placeholder';
  if (!NEEDED[interval].some(fields => fields.every(field => used.includes(field))))
    return `would give two partitions of one ${interval} interval the same name: it needs {${NEEDED[interval][0]?.join('}, {')}}`;
  const room = used.includes('table') ? SHORTEST_TABLE_BYTES : 0;
  if (roomForTable(template) < room)
    return `is too long: a name has ${MAX_IDENTIFIER_BYTES} bytes, of which ${RESERVED_BYTES} are kept for suffixes`;
  return undefined;
}

/**
 * The name of the partition that starts at `window.lower`, at most 63 bytes long.
 *
 * A table name too long for its suffix is shortened and given a hash of the whole, so that two long names stay two.
 */
export function partitionName(template: string, table: string, lower: Window['lower'], zone: string): string {
  const at = lower.toZonedDateTimeISO(zone);
  const short = shorten(table, roomForTable(template));
  return template.replaceAll(PLACEHOLDER, (_, word: string) =>
    word === 'table' ? short : isField(word) ? NAME_FIELDS[word](at) : '',
  );
}

/** What a part of a window adds to the window's name, when existing partitions already hold the rest of it. */
export const fragmentSuffix = (lower: Window['lower'], zone: string): string => {
  const at = lower.toZonedDateTimeISO(zone);
  const time = at.toPlainTime().equals('00:00') ? '' : `t${pad(at.hour)}${pad(at.minute)}`;
  return `_from_${pad(at.month)}${pad(at.day)}${time}`;
};

/** A regular expression in PostgreSQL's dialect that every name this template can yield for `table` matches. */
export function takenNamePattern(template: string, table: string): string {
  const short = escapePattern(shorten(table, roomForTable(template)));
  // Splitting by a pattern with a group yields text and placeholders by turns.
  const parts = template.split(PLACEHOLDER).map((part, index) => {
    if (index % 2 === 0) return escapePattern(part);
    return part === 'table' ? short : isField(part) ? FIELD_PATTERN[part] : '';
  });
  return `^${parts.join('')}(_from_[0-9t]+)?(_[0-9]+)?$`;
}

const escapePattern = (text: string): string => text.replaceAll(/[\\^$.|?*+()[\]{}]/g, match => `\\${match}`);

// Leaves room for a fragment's suffix and for `_2`, the way out when a name is taken.
const RESERVED_BYTES = byteLength('_from_0101t0000_99');

/** The hash that keeps two shortened names apart, and a letter to recognise them by. */
const SHORTEST_TABLE_BYTES = byteLength('a_00000000');

/** The bytes that a template leaves for a table's name, each time that it has it. */
function roomForTable(template: string): number {
  const longest = template.replaceAll(PLACEHOLDER, (_, word: string) =>
    word === 'table' ? '' : 'x'.repeat(word === 'YYYY' || word === 'GGGG' ? 4 : 2),
  );
  const times = words(template).filter(word => word === 'table').length;
  return Math.floor((MAX_IDENTIFIER_BYTES - RESERVED_BYTES - byteLength(longest)) / Math.max(1, times));
}

function shorten(table: string, room: number): string {
  if (byteLength(table) <= room) return table;
  const hash = fnv1a(table);
  let kept = '';
  for (const character of table) {
    if (byteLength(kept + character) > room - hash.length - 1) break;
    kept += character;
  }
  return `${kept}_${hash}`;
}

/** FNV-1a, 32 bits, eight hexadecimal digits: not for secrets, only to keep two shortened names apart. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}

/** The name with a suffix, cut so that both fit into an identifier. */
export function withSuffix(name: string, suffix: string): string {
  let kept = '';
  for (const character of name) {
    if (byteLength(kept + character + suffix) > MAX_IDENTIFIER_BYTES) break;
    kept += character;
  }
  return kept + suffix;
}
