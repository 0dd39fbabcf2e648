/** Do rows find their partition? For every type of key, in zones with odd days, to the microsecond. */
import { describe, expect } from 'vitest';
import type { Interval } from '../../src/domain/interval.ts';
import { DEFAULT_NAME } from '../../src/domain/naming.ts';
import { formatInstant, type Instant, instantFrom, KEY_TYPES, type KeyType } from '../../src/domain/time.ts';
import type { TestDatabase } from '../support/database.ts';
import { aTablePolicy, at, plusMicroseconds, relation } from '../support/facts.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { createTable, partitionsOf, sqlName } from '../support/tables.ts';

const policyOf = (type: KeyType, timezone: string, interval: Interval, premake = 0) =>
  aTablePolicy({
    relation: relation(`public.${interval}_${type}`),
    interval,
    timezone,
    premake,
    name: DEFAULT_NAME[interval],
  });

/** What a clock in the zone shows at that moment, as the key's type; the server's own reckoning, not ours. */
const keyAt = (moment: Instant, type: KeyType, zone: string): string =>
  type === 'timestamptz'
    ? `timestamptz '${formatInstant(moment)}'`
    : `(timestamptz '${formatInstant(moment)}' at time zone '${zone}')::${type}`;

/** Midnights at which a local day begins, as moments: [zone, what is special, midnight]. */
const MIDNIGHTS = [
  ['UTC', 'nothing', '2026-03-29T00:00:00Z'],
  ['Europe/Berlin', 'the day has 23 hours', '2026-03-28T23:00:00Z'],
  ['Europe/Berlin', 'the day before had 23 hours', '2026-03-29T22:00:00Z'],
  ['Europe/Berlin', 'the day has 25 hours', '2026-10-24T22:00:00Z'],
  ['America/New_York', 'a month begins with a day of 25 hours', '2026-11-01T04:00:00Z'],
  ['America/Santiago', 'the day begins at one o’clock', '2026-09-06T04:00:00Z'],
  ['Asia/Kathmandu', 'three quarters of an hour', '2025-12-31T18:15:00Z'],
  ['Pacific/Kiritimati', 'fourteen hours ahead', '2026-12-31T10:00:00Z'],
] as const;

const CASES = [
  ...KEY_TYPES.map(type => ({ interval: 'day', type }) as const),
  { interval: 'month', type: 'timestamptz' },
] as const;

describe('around local midnight', () => {
  partkeeperTest.for(MIDNIGHTS)(
    'in %s (%s), a row written now finds its partition',
    async ([zone, , midnight], { database, open }) => {
      const tables = CASES.map(({ interval, type }) => policyOf(type, zone, interval));
      const partkeeper = open({ tables, isAlone: true });
      for (const offset of [-1, 0, 1]) {
        const now = plusMicroseconds(instantFrom(midnight), offset);
        for (const { interval, type } of CASES)
          await createTable(database, `public.${interval}_${type}`, { key: type });
        const reports = await partkeeper.run('provision', { at: now });
        expect(reports).toMatchObject(CASES.map(() => ({ outcome: 'success', done: 1 })));
        for (const { interval, type } of CASES) await expectInsert(database, type, zone, interval, now);
        await database.query(`drop table ${tables.map(table => sqlName(table.relation)).join(', ')}`);
      }
    },
  );
});

/** The row is accepted, by the partition that the server's own calendar calls for. */
async function expectInsert(
  database: TestDatabase,
  type: KeyType,
  zone: string,
  interval: 'day' | 'month',
  moment: Instant,
): Promise<void> {
  const format = { day: 'YYYY_MM_DD', month: 'YYYY_MM' }[interval];
  const [row] = await database.query<{ stored: string; wanted: string }>(
    `insert into ${interval}_${type} (at) values (${keyAt(moment, type, zone)})
     returning tableoid::regclass::text as stored,
               '${interval}_${type}_' || to_char(timestamptz '${formatInstant(moment)}' at time zone '${zone}', '${format}') as wanted`,
  );
  expect(row?.stored).toBe(row?.wanted);
}

describe('bounds', () => {
  partkeeperTest(
    'are local midnights for moments, and plain midnights for readings of a clock',
    async ({ database, open }) => {
      const zone = 'Europe/Berlin';
      for (const type of KEY_TYPES) await createTable(database, `public.month_${type}`, { key: type });
      const partkeeper = open({
        tables: KEY_TYPES.map(type => policyOf(type, zone, 'month', 1)),
        at: at('2026-03-15'),
      });
      await partkeeper.run('provision');
      expect(await partitionsOf(database, relation('public.month_timestamptz'))).toEqual({
        month_timestamptz_2026_03: `FOR VALUES FROM ('2026-02-28 23:00:00+00') TO ('2026-03-31 22:00:00+00')`,
        month_timestamptz_2026_04: `FOR VALUES FROM ('2026-03-31 22:00:00+00') TO ('2026-04-30 22:00:00+00')`,
      });
      expect(await partitionsOf(database, relation('public.month_timestamp'))).toEqual({
        month_timestamp_2026_03: `FOR VALUES FROM ('2026-03-01 00:00:00') TO ('2026-04-01 00:00:00')`,
        month_timestamp_2026_04: `FOR VALUES FROM ('2026-04-01 00:00:00') TO ('2026-05-01 00:00:00')`,
      });
      expect(await partitionsOf(database, relation('public.month_date'))).toEqual({
        month_date_2026_03: `FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')`,
        month_date_2026_04: `FOR VALUES FROM ('2026-04-01') TO ('2026-05-01')`,
      });
      expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
    },
  );

  partkeeperTest('leave no microsecond between two partitions', async ({ database, open }) => {
    // Hours across the change to summer time and back, where one is missing and one is there twice.
    for (const [start, hours] of [
      ['2026-03-28T20:00:00Z', 12],
      ['2026-10-24T20:00:00Z', 12],
    ] as const) {
      for (const type of ['timestamptz', 'timestamp'] as const) {
        const policy = policyOf(type, 'Europe/Berlin', 'hour', hours);
        await createTable(database, `public.hour_${type}`, { key: type });
        const partkeeper = open({ tables: [policy], at: instantFrom(start) });
        const [report] = await partkeeper.run('provision');
        expect(report).toMatchObject({ outcome: 'success', findings: [] });
        for (let hour = 0; hour < hours; hour += 1)
          for (const offset of [-1, 0, 1]) {
            if (hour === 0 && offset < 0) continue;
            const moment = plusMicroseconds(instantFrom(start).add({ hours: hour }), offset);
            await database.query(
              `insert into ${sqlName(policy.relation)} (at) values (${keyAt(moment, type, 'Europe/Berlin')})`,
            );
          }
        expect((await partkeeper.plan(['provision'])).actions).toEqual([]);
        await database.query(`drop table ${sqlName(policy.relation)}`);
      }
    }
  });
});
