import { expect, test } from 'vitest';
import { withLedgerTables } from '../../../src/config/ledger-tables.ts';
import { schedulesOf } from '../../../src/config/schedules.ts';
import { formatRelationName } from '../../../src/domain/relation.ts';
import { aTable, load } from './loading.ts';

const tablesOf = (yaml: string) => withLedgerTables(load(yaml)).tables;
const namesOf = (yaml: string): readonly string[] =>
  tablesOf(yaml).map(({ policy }) => formatRelationName(policy.relation));

test('partkeeper maintains its own two tables, after those of the file', () => {
  const policy = {
    interval: 'month',
    premake: 2,
    retention: { amount: 1, unit: 'years' },
    retire: 'drop',
    grace: undefined,
    maxPerRun: 100,
    maxShare: 1,
    retireAfter: [],
    defaultPartition: 'report',
    timezone: 'UTC',
    name: '{table}_{YYYY}_{MM}',
    probe: true,
    analyze: undefined,
  };
  expect(tablesOf(aTable())).toStrictEqual([
    ...load(aTable()).tables,
    { policy: { relation: { schema: 'partkeeper', name: 'runs' }, ...policy }, analyze: undefined },
    { policy: { relation: { schema: 'partkeeper', name: 'actions' }, ...policy }, analyze: undefined },
  ]);
});

test.each([
  ['2 years', { amount: 2, unit: 'years' }],
  ['keep forever', 'forever'],
])('for as long as the ledger is to be kept: %s', (text, expected) => {
  const retentions = tablesOf(aTable(`ledger: { retention: ${text} }\n`)).map(({ policy }) => policy.retention);
  expect(retentions.slice(1)).toEqual([expected, expected]);
});

test('what the file says of them stands', () => {
  const yaml = 'tables: { PartKeeper.Actions: { interval: month, premake: 5 }, a.b: { interval: day } }';
  expect(namesOf(yaml)).toEqual(['partkeeper.actions', 'a.b', 'partkeeper.runs']);
  expect(tablesOf(yaml)[0]?.policy).toMatchObject({ premake: 5, retention: 'forever' });
});

test('a second time adds nothing, and nothing else is changed', () => {
  const config = load(aTable());
  const once = withLedgerTables(config);
  expect(withLedgerTables(once)).toEqual(once);
  expect({ ...once, tables: config.tables }).toEqual(config);
});

test('they come due with the others', () => {
  const entries = schedulesOf(withLedgerTables(load('views: { a.v: {} }'))).map(
    ({ job, target }) => `${job} ${formatRelationName(target)}`,
  );
  expect(entries).toEqual([
    'provision partkeeper.runs',
    'provision partkeeper.actions',
    'retire partkeeper.runs',
    'retire partkeeper.actions',
  ]);
});
