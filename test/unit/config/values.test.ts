import { describe, expect, test } from 'vitest';
import { EXAMPLE } from '../../../src/config/example.ts';
import { aTable, load, loadFiles } from './loading.ts';

const TICKS = { overlap: 'skip', jitterMs: 0, catchUp: 'once', catchUpWindow: { amount: 31, unit: 'days' } };
const EVENTS = { schema: 'unified', name: 'event_metric_events' };

test('the example means what it says', () => {
  const config = load(EXAMPLE, { env: { DATABASE_URL: 'postgres://keeper@db/app' } });
  expect(config).toEqual({
    database: {
      connectionString: 'postgres://keeper@db/app',
      host: undefined,
      port: undefined,
      user: undefined,
      database: undefined,
      password: undefined,
      sslMode: undefined,
      pool: 4,
      connectTimeoutMs: 10_000,
    },
    directDatabase: undefined,
    budget: {
      lockTimeoutMs: 200,
      statementTimeoutMs: 900_000,
      lockAttempts: 10,
      deferOlderThanMs: 5_000,
      passingMs: 200,
      patienceMs: 60_000,
    },
    tables: [
      {
        policy: {
          relation: EVENTS,
          interval: 'month',
          premake: 2,
          retention: { amount: 90, unit: 'days' },
          retire: 'drop',
          grace: undefined,
          maxPerRun: 100,
          maxShare: 0.5,
          retireAfter: [],
          defaultPartition: 'report',
          timezone: 'UTC',
          name: '{table}_{YYYY}_{MM}',
          probe: true,
          analyze: { changedShare: 0.1 },
        },
        analyze: { after: ['provision'], schedule: { pattern: '15 3 * * *', timezone: 'UTC' } },
      },
    ],
    views: [
      {
        policy: {
          relation: { schema: 'unified', name: 'mv_recent_events' },
          populate: true,
          blocking: false,
          skipUnchanged: true,
        },
        schedule: { pattern: '*/5 * * * *', timezone: 'UTC' },
      },
    ],
    jobs: {
      provision: { schedule: { pattern: '10 0 * * *', timezone: 'UTC' }, ...TICKS, jitterMs: 30_000 },
      retire: { schedule: { pattern: '40 2 * * *', timezone: 'Europe/Berlin' }, ...TICKS },
      refresh: TICKS,
      analyze: TICKS,
    },
    queue: { schema: 'partkeeper_queue', runTimeoutMs: 3_600_000 },
    ledger: { retention: { amount: 1, unit: 'years' } },
    http: { host: '127.0.0.1', port: 9465 },
    log: { level: 'info', format: 'json' },
    origin: 'partkeeper.yaml',
  });
});

test('without a file, the bundled policy is in force', () => {
  const { origin, tables, views } = loadFiles({});
  expect(origin).toBe('the bundled policy');
  expect(tables.map(({ policy }) => policy)).toMatchObject([
    {
      relation: EVENTS,
      interval: 'month',
      premake: 2,
      retention: { amount: 90, unit: 'days' },
      retire: 'drop',
      grace: undefined,
      maxPerRun: 100,
      maxShare: 0.5,
      retireAfter: [],
      defaultPartition: 'report',
      timezone: 'UTC',
    },
  ]);
  expect(tables[0]?.analyze).toEqual({ after: ['provision'], schedule: { pattern: '15 3 * * *', timezone: 'UTC' } });
  expect(views.map(({ policy, schedule }) => [policy.relation.name, schedule?.pattern])).toEqual([
    ['mv_recent_events', '*/5 * * * *'],
    ['mv_error_summary', '*/15 * * * *'],
    ['mv_performance_metrics', '*/5 * * * *'],
  ]);
});

test('what is left out destroys nothing and is kept ready', () => {
  const { policy, analyze } = load(aTable()).tables[0] ?? {};
  expect(policy).toMatchObject({ premake: 2, retention: 'forever', retire: 'drop', timezone: 'UTC' });
  expect(policy?.analyze).toEqual({ changedShare: 0.1 });
  expect(analyze).toEqual({ after: ['provision'], schedule: undefined });
});

test.each([
  ['hour', '{table}_{YYYY}_{MM}_{DD}_{HH}'],
  ['week', '{table}_{GGGG}_w{WW}'],
  ['quarter', '{table}_{YYYY}_q{Q}'],
])('partitions of a %s are called %s', (interval, name) => {
  expect(load(`tables: { a.b: { interval: ${interval} } }`).tables[0]?.policy.name).toBe(name);
});

test.each(['keep forever', 'forever', 'Keep  Forever'])('retention: %s', text => {
  expect(load(aTable(`    retention: ${text}\n`)).tables[0]?.policy.retention).toBe('forever');
});

test('analyze: off leaves no trace of it', () => {
  const [table] = load(aTable('    analyze: off\n')).tables;
  expect(table?.analyze).toBeUndefined();
  expect(table?.policy.analyze).toBeUndefined();
});

const after = (list: string) => load(aTable(`    analyze: { after: ${list} }\n`)).tables[0]?.analyze?.after;

test('analyze may follow several jobs, or none', () => {
  expect(after('[retire, provision, retire]')).toEqual(['retire', 'provision']);
  expect(after('[]')).toEqual([]);
});

test.each([
  ["'[::1]:9465'", { host: '::1', port: 9465 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
])('listen: %s', (text, expected) => {
  expect(load(aTable(`http: { listen: ${text} }\n`)).http).toEqual(expected);
});

test('http: off means no server', () => {
  expect(load(aTable('http: off\n')).http).toBeUndefined();
});

test('what is left out of queue, ledger and jobs', () => {
  const { queue, ledger, jobs } = load(aTable());
  expect(queue).toEqual({ schema: 'partkeeper_queue', runTimeoutMs: 3_600_000 });
  expect(ledger).toEqual({ retention: { amount: 1, unit: 'years' } });
  expect(jobs).toMatchObject({ provision: TICKS, retire: TICKS, refresh: TICKS, analyze: TICKS });
  expect([jobs.refresh.schedule, jobs.analyze.schedule]).toEqual([undefined, undefined]);
});

test.each([
  ['none', 0],
  ['None', 0],
  ['250ms', 250],
  ['5 minutes', 300_000],
])('jitter: %s', (text, jitterMs) => {
  expect(load(aTable(`jobs: { retire: { jitter: ${text} } }\n`)).jobs.retire.jitterMs).toBe(jitterMs);
});

test.each(['1 month', '31 days', '5 weeks', '744 hours', '10 years', 'forever'])('ledger.retention: %s', text => {
  expect(() => load(aTable(`ledger: { retention: ${text} }\n`))).not.toThrow();
});

test.each([
  [true, 'pretty'],
  [false, 'json'],
])('on a terminal (%s) the log is %s', (isTerminal, format) => {
  expect(load(aTable(), { isTerminal }).log.format).toBe(format);
});

describe('${…} in a value', () => {
  const env = { ZONE: 'Europe/Berlin', AHEAD: '5', EMPTY: '', DAYS: '30', OPEN: 'x: ["' };
  const policy = (keys: string) => load(aTable(keys), { env }).tables[0]?.policy;

  test.each([
    ['is replaced', '    timezone: ${ZONE}\n', { timezone: 'Europe/Berlin' }],
    ['may be a part', '    retention: ${DAYS} days\n', { retention: { amount: 30, unit: 'days' } }],
    ['may be a number', '    premake: ${AHEAD}\n', { premake: 5 }],
    ['may be a number in quotes', "    premake: '${AHEAD}'\n", { premake: 5 }],
    ['takes the default when not set', '    timezone: ${NOPE:-Asia/Tokyo}\n', { timezone: 'Asia/Tokyo' }],
    ['takes the default when set to nothing', '    timezone: ${EMPTY:-Asia/Tokyo}\n', { timezone: 'Asia/Tokyo' }],
    ['does not need the default when set', '    timezone: ${ZONE:-Asia/Tokyo}\n', { timezone: 'Europe/Berlin' }],
    ['is escaped by another $', "    name: '$${table}_{YYYY}{MM}'\n", { name: '${table}_{YYYY}{MM}' }],
    ['never becomes YAML', "    name: '${OPEN}_{YYYY}{MM}'\n", { name: 'x: ["_{YYYY}{MM}' }],
  ])('%s', (_, keys, expected) => {
    expect(policy(keys)).toMatchObject(expected);
  });
});
