import { describe, expect, test } from 'vitest';
import {
  byteLength,
  formatForShell,
  formatRelationName,
  isSameRelation,
  parseRelationName,
  type RelationName,
} from '../../../src/domain/relation.ts';
import { chance } from '../../support/random.ts';

describe('a name of a relation', () => {
  test.each<[string, string, string]>([
    ['unified.events', 'unified', 'events'],
    ['  unified.events  ', 'unified', 'events'],
    ['Unified.EVENTS', 'unified', 'events'],
    ['"Unified"."EVENTS"', 'Unified', 'EVENTS'],
    ['unified."Event Log"', 'unified', 'Event Log'],
    ['"a.b"."c.d"', 'a.b', 'c.d'],
    ['"a""b".c', 'a"b', 'c'],
    ['"""".""""', '"', '"'],
    ['" ".x', ' ', 'x'],
    ['_private.t$1', '_private', 't$1'],
    ['größe.straße', 'größe', 'straße'],
    // PostgreSQL folds ASCII alone in a multibyte encoding.
    ['GRÖSSE.Übergrößen', 'grÖsse', 'Übergrößen'],
    ['表.事件', '表', '事件'],
    [`a.${'x'.repeat(63)}`, 'a', 'x'.repeat(63)],
    [`a."${'ä'.repeat(31)}x"`, 'a', `${'ä'.repeat(31)}x`],
  ])('%j is read', (text, schema, name) => {
    expect(parseRelationName(text)).toEqual({ schema, name });
  });

  const noName = (text: string) => `'${text}' is not a table name: write schema.table, with double quotes where needed`;
  test.each([
    ['', noName('')],
    ['.', noName('.')],
    ['.events', noName('.events')],
    ['unified.', noName('unified.')],
    ['unified..events', noName('unified..events')],
    ['app.unified.events', noName('app.unified.events')],
    ['"a"."b"."c"', noName('"a"."b"."c"')],
    ['a.b.c.d', noName('a.b.c.d')],
    ['a.b.', noName('a.b.')],
    ['unified events', noName('unified events')],
    ['unified. events', noName('unified. events')],
    ['unified.events;', noName('unified.events;')],
    ['unified.events; drop table x', noName('unified.events; drop table x')],
    ['unified."events', noName('unified."events')],
    ['unified."a"b', noName('unified."a"b')],
    ['unified.""', noName('unified.""')],
    ['"".events', noName('"".events')],
    ['unified.1st', noName('unified.1st')],
    ['unified.a-b', noName('unified.a-b')],
    ['events', "'events' names no schema: write it as schema.table (search_path is not consulted)"],
    ['"unified.events"', `'"unified.events"' names no schema: write it as schema.table (search_path is not consulted)`],
    [`a.${'x'.repeat(64)}`, `'${'x'.repeat(64)}' is 64 bytes long, PostgreSQL's identifiers end at 63`],
    [`${'x'.repeat(64)}.a`, `'${'x'.repeat(64)}' is 64 bytes long, PostgreSQL's identifiers end at 63`],
    [`a."${'ä'.repeat(32)}"`, `'${'ä'.repeat(32)}' is 64 bytes long, PostgreSQL's identifiers end at 63`],
    ['a."b\0c"', 'a name cannot contain a NUL character'],
    ['"\0".b', 'a name cannot contain a NUL character'],
  ])('%j is refused', (text, problem) => {
    expect(parseRelationName(text)).toEqual({ problem });
  });

  test.each<[RelationName, string]>([
    [{ schema: 'unified', name: 'events' }, 'unified.events'],
    [{ schema: 'Unified', name: 'events' }, '"Unified".events'],
    [{ schema: 'a.b', name: 'c d' }, '"a.b"."c d"'],
    [{ schema: 'a', name: 'b"c' }, 'a."b""c"'],
    [{ schema: 'größe', name: 'Ü' }, 'größe."Ü"'],
    [{ schema: '1a', name: '_1' }, '"1a"._1'],
  ])('%j is written with the quotes that it needs', (relation, text) => {
    expect(formatRelationName(relation)).toBe(text);
  });

  test('written and read again is the same, whatever it consists of', () => {
    const { below, pick } = chance(63);
    const letters = [
      'a',
      'B',
      'z',
      '_',
      '$',
      '1',
      '.',
      '"',
      ' ',
      "'",
      '\\',
      '{',
      'ä',
      'Ü',
      'ß',
      'ı',
      'İ',
      'K',
      '表',
      '🦊',
      '\t',
      '\n',
      ';',
    ];
    const word = () => Array.from({ length: 1 + below(12) }, () => pick(letters)).join('');
    for (let round = 0; round < 1500; round += 1) {
      const relation = { schema: word(), name: word() };
      const text = formatRelationName(relation);
      expect(parseRelationName(text), text).toEqual(relation);
    }
  });

  test('two are the same when both parts are, to the letter', () => {
    const events = { schema: 'unified', name: 'events' };
    expect(isSameRelation(events, { ...events })).toBe(true);
    expect(isSameRelation(events, { ...events, name: 'Events' })).toBe(false);
    expect(isSameRelation(events, { ...events, schema: 'other' })).toBe(false);
  });

  test.each([
    [{ schema: 'app', name: 'events' }, 'app.events'],
    [{ schema: 'app', name: 'Odd ev' }, `'app."Odd ev"'`],
    [{ schema: 'app', name: "it's; rm" }, `'app."it'\\''s; rm"'`],
    [{ schema: 'app', name: '$(x)`y`' }, '\'app."$(x)`y`"\''],
  ])('is fit for a shell: %o', (relation, expected) => {
    expect(formatForShell(relation)).toBe(expected);
  });

  test('is as long as its bytes in UTF-8', () => {
    expect(['a', 'ä', '表', '🦊'].map(byteLength)).toEqual([1, 2, 3, 4]);
  });
});
