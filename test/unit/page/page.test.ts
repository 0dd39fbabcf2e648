/** The page as markup: what is to scale, what is escaped, and that nothing is left out. */
import { describe, expect, test } from 'vitest';
import { ticksBetween } from '../../../src/page/axis.ts';
import { html } from '../../../src/page/html.ts';
import { statusPage } from '../../../src/page/page.ts';
import { timelineOf } from '../../../src/page/timeline.ts';
import { relative, roughly, shortMoment } from '../../../src/page/words.ts';
import type { PartitionStatus, TableStatus } from '../../../src/status/document.ts';
import { aPartition, aTable, aTablePolicy, monthly, NOW, someFacts } from '../../support/facts.ts';
import { aStatus, statusOf } from '../../support/status.ts';
import { aTroubledStatus } from '../../support/troubled-status.ts';

const EVIL = '<img src=x onerror=alert(1)>';

describe('text', () => {
  test('is escaped, in attributes as well, and markup is not escaped twice', () => {
    expect(html`<p title="${`"${EVIL}'&`}">${[html`<b>${'<'}</b>`, 7, null, undefined]}</p>`.markup).toBe(
      '<p title="&quot;&lt;img src=x onerror=alert(1)&gt;&#39;&amp;"><b>&lt;</b>7</p>',
    );
  });

  test('cannot turn the direction of writing, nor hide in control characters', () => {
    expect(html`${'a\u202eb\u0007'}`.markup).toBe('a\\u202eb\\u0007');
  });

  test('of names, findings and errors reaches the page as text only', () => {
    const evil = { schema: 'public', name: EVIL };
    const status = statusOf({
      facts: someFacts({
        tables: [aTable({ relation: evil, partitions: [aPartition('2026-11-01', '2026-12-01', { relation: evil })] })],
        missing: [{ relation: { schema: EVIL, name: 'v' }, reason: 'absent' }],
      }),
      policies: {
        tables: [aTablePolicy({ relation: evil })],
        views: [{ relation: { schema: EVIL, name: 'v' }, populate: true, blocking: false, skipUnchanged: true }],
      },
      present: { problem: EVIL },
    });
    const page = statusPage(status);
    expect(page).not.toContain('<img');
    expect(page).toContain('public.&quot;&lt;img src=x onerror=alert(1)&gt;&quot;');
    expect(page.match(/<script[^>]*>/g)).toEqual(['<script src="assets/page.js" defer>']);
    expect(page).not.toMatch(/\son[a-z]+="|\sstyle="/);
  });
});

const parts = (...ends: readonly (string | null)[]): PartitionStatus[] =>
  ends.slice(1).map((to, index) => ({
    name: `t.p${index}`,
    state: 'past',
    from: ends[index] ?? null,
    to,
    bytes: 100 * (index + 1),
    rows: null,
  }));

const aTableStatus = (over: Partial<TableStatus>): TableStatus => {
  const [table] = aStatus().tables;
  if (!table) throw new Error('no table');
  return { ...table, partitions: [], ...over };
};

describe('the timeline', () => {
  test('is to scale, from the oldest bound to the newest', () => {
    const timeline = timelineOf(
      aTableStatus({
        partitions: parts('2026-01-01T00:00:00Z', '2026-01-11T00:00:00Z', '2026-01-31T00:00:00Z'),
        now: '2026-01-21T00:00:00Z',
        cutoff: '2026-01-16T00:00:00Z',
      }),
    );
    const [first, second] = timeline?.segments ?? [];
    expect(second && first && second.width / first.width).toBeCloseTo(2);
    expect(first?.x).toBeCloseTo(0.2);
    expect(second && second.x + second.width).toBeCloseTo(99.8);
    expect(timeline?.cutoff).toBeCloseTo(50);
    expect(timeline?.now).toBeCloseTo(66.6, 0);
    expect([first?.height, second?.height]).toEqual([0.5, 1]);
  });

  test('shows now where every partition is past, and the retention line beyond its end as an arrow', () => {
    const timeline = timelineOf(
      aTableStatus({
        partitions: parts('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
        now: '2026-03-01T00:00:00Z',
        cutoff: '2021-03-01T00:00:00Z',
      }),
    );
    expect(timeline?.now).toBeCloseTo(99.8);
    expect(timeline?.cutoff).toBeLessThan(0);
    expect(statusPage(aStatus())).toContain('retention line');
  });

  test('shows what has no beginning or no end up to the edge, and nothing where nothing has a place in time', () => {
    const timeline = timelineOf(aTableStatus({ partitions: parts(null, '2026-02-01T00:00:00Z', null) }));
    expect(timeline?.segments.map(({ x, width }) => [Math.round(x), Math.round(x + width)])).toEqual([
      [0, 0],
      [0, 100],
    ]);
    expect(timelineOf(aTableStatus({ partitions: parts(null, null) }))).toBeUndefined();
  });

  test('shows partitions that are too narrow to tell apart together, and no other', () => {
    const day = (index: number): string => new Date(index * 86_400_000).toISOString();
    const partitions = parts(...Array.from({ length: 10_001 }, (_, index) => day(index)));
    const timeline = timelineOf(aTableStatus({ partitions, now: day(10_000), cutoff: null }));
    expect(timeline?.segments.length).toBeLessThan(700);
    expect(timeline?.segments.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
    expect(timeline?.segments[0]?.label).toMatch(/^\d+ partitions$/);
  });
});

test.each([
  [
    '2026-11-20T00:00:00Z',
    '2026-11-20T08:00:00Z',
    ['11-20', '01:00', '02:00', '03:00', '04:00', '05:00', '06:00', '07:00', '08:00'],
  ],
  ['2026-11-18T05:00:00Z', '2026-12-20T00:00:00Z', ['11-23', '11-30', '12-07', '12-14']],
  ['2026-09-15T00:00:00Z', '2027-02-01T00:00:00Z', ['2026-10', '2026-11', '2026-12', '2027-01', '2027-02']],
  ['1970-01-01T00:00:00Z', '2026-01-01T00:00:00Z', ['1970', '1980', '1990', '2000', '2010', '2020']],
])('the axis from %s to %s has round labels', (from, to, labels) => {
  expect(ticksBetween(Date.parse(from), Date.parse(to)).map(({ label }) => label)).toEqual(labels);
});

test('the axis of the whole calendar of PostgreSQL has an end', () => {
  expect(ticksBetween(-2e14, 8.6e15).length).toBeLessThanOrEqual(9);
  expect(ticksBetween(0, 0)).toHaveLength(1);
});

test('words for moments and lengths of time', () => {
  expect(shortMoment('2026-11-01T00:00:00Z')).toBe('2026-11-01');
  expect(shortMoment('2026-11-01T06:07:08.9Z')).toBe('2026-11-01 06:07');
  expect(relative('2026-11-01T00:00:00Z', '2026-11-01T00:03:00Z')).toBe('3 min ago');
  expect(relative('2026-11-03T00:00:00Z', '2026-11-01T00:00:00Z')).toBe('in 2 days');
  expect([roughly(59_000), roughly(3_600_000), roughly(3 * 365.25 * 86_400_000)]).toEqual(['59 s', '1 h', '3 years']);
});

test('a page of many partitions lists a thousand of them, and says where the others are', () => {
  const partitions = parts(...Array.from({ length: 1_201 }, (_, day) => new Date(day * 86_400_000).toISOString()));
  const page = statusPage({ ...aStatus(), tables: [aTableStatus({ partitions })] });
  expect(page.match(/<th scope="row"/g)).toHaveLength(1_000);
  expect(page).toContain('200 older ones are in');
});

test('before the first look there is a page, and commands in findings are told from words', () => {
  const page = statusPage(statusOf({ present: { problem: 'the database has not been reached yet' } }));
  expect(page).toContain('<title>not ready – partkeeper</title>');
  expect(page).toContain('Not ready: the database has not been reached yet');
  expect(page).toContain('Nothing has been looked at yet.');
  expect(page).toContain('<span class="pill idle">not known yet</span>');
  expect(page).toContain('Nothing can be planned before the database has been looked at.');
  expect(statusPage(aTroubledStatus())).toContain('<code>partkeeper migrate up</code> creates');
});

test('what is old says so, and why', () => {
  const facts = someFacts({ tables: [aTable({ partitions: monthly('2026-09', '2027-01') })] });
  expect(statusPage(statusOf({ facts }))).not.toContain('is shown is');
  expect(statusPage(statusOf({ facts, present: { now: NOW.add({ minutes: 5 }) } }))).toContain(
    'What is shown is 5 min old, because no newer look at the database has ended',
  );
});
