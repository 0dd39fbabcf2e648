/** One configuration after the other: what takes whose place, what becomes of what was under way, and what is told. */
import { expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import type { Config } from '../../src/config/config.ts';
import { withLedgerTables } from '../../src/config/ledger-tables.ts';
import { MaintenanceError } from '../../src/domain/errors.ts';
import { formatRelationName } from '../../src/domain/relation.ts';
import { keepLive } from '../../src/reload.ts';
import type { Event } from '../../src/report/events.ts';
import { load } from './config/loading.ts';
import { imagine } from './schedule/imagined-time.ts';

const ONE = 'tables: { app.one: { interval: day } }\n';
const TWO = 'tables: { app.two: { interval: day } }\n';

/** Apps on a database that is imagined, each of which tells when it is closed. */
function aService() {
  const events: Event[] = [];
  const closed: string[] = [];
  let yaml = ONE;
  const create = (given: Config): App => {
    const config = withLedgerTables(given);
    const { runner } = imagine(config, '2026-11-21T06:00:00Z', '2100-01-01T00:00:00Z');
    const name = formatRelationName(given.tables[0]?.policy.relation ?? { schema: '', name: '' });
    return {
      config,
      policies: runner.policies,
      database: runner.database,
      runner: { ...runner, emit: event => void events.push(event) },
      close: async () => void closed.push(name),
    };
  };
  const levels: string[] = [];
  const live = keepLive({
    config: load(yaml),
    load: () => load(yaml),
    create,
    onLoaded: ({ log }) => void levels.push(log.level),
  });
  return {
    live,
    closed,
    levels,
    /** What was told since the last time. */
    told: () =>
      events.splice(0).map(event => {
        if (event.kind === 'config-loaded') return `${event.how}: ${event.changes.join(', ')}`;
        return event.kind === 'reload-failed' ? `failed: ${event.error.message}` : event.kind;
      }),
    events,
    reload(text: string) {
      yaml = text;
      live.reload();
    },
  };
}

const tables = ({ policies }: App): readonly string[] => policies.tables.map(({ relation }) => relation.name);

test('a valid one takes the place of the other, whole, and the keys that changed are told', async () => {
  const { live, closed, told, reload } = aService();
  expect(told()).toEqual(['start: ']);
  reload(TWO);
  expect(tables(live.app())).toEqual(['two', 'runs', 'actions']);
  expect(told()).toEqual(['reload: tables."app.two", tables."app.one"']);
  expect(closed).toEqual(['app.one']);
  await live.close();
  expect(closed).toEqual(['app.one', 'app.two']);
});

test('what is under way goes on under its own, which is closed after its end', async () => {
  const { live, closed, reload } = aService();
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const seen: string[] = [];
  const works = ends.map(({ promise }) =>
    live.use(async (app, superseded) => {
      await promise;
      seen.push(`${tables(app)[0]} ${superseded.aborted}`);
    }),
  );
  reload(TWO);
  await live.use(async (app, superseded) => void seen.push(`${tables(app)[0]} ${superseded.aborted}`));
  ends[0]?.resolve();
  await works[0];
  expect(closed).toEqual([]);
  ends[1]?.resolve();
  await works[1];
  expect(seen).toEqual(['two false', 'one true', 'one true']);
  expect(closed).toEqual(['app.one']);
});

test('work that fails gives its configuration back as well', async () => {
  const { live, closed, reload } = aService();
  const work = live.use(async () => {
    reload(TWO);
    throw new Error('it failed');
  });
  await expect(work).rejects.toThrow('it failed');
  expect(closed).toEqual(['app.one']);
});

test.each([
  ['is no YAML', 'tables: [', 'partkeeper.yaml:1:10'],
  ['has a mistake', TWO.replace('day', 'dya'), `partkeeper.yaml:1:32: tables."app.two".interval: 'dya' is not`],
  ['needs a restart', `http: off\n${TWO}`, 'partkeeper.yaml: http.listen: changes with a restart only'],
])('one that %s changes nothing, and says where', async (_, yaml, problem) => {
  const { live, closed, levels, told, reload } = aService();
  const before = live.app();
  told();
  reload(yaml);
  expect(live.app()).toBe(before);
  expect(told()).toEqual([expect.stringContaining(problem)]);
  expect([closed, levels]).toEqual([[], ['info']]);
  reload(TWO);
  expect(tables(live.app())[0]).toBe('two');
  expect(told()).toEqual(['reload: tables."app.two", tables."app.one"']);
});

test('the same again is a success that changes nothing', () => {
  const { told, reload } = aService();
  told();
  reload(ONE);
  expect(told()).toEqual(['reload: ']);
});

test('three in a row leave the last, and one that waits for its end', async () => {
  const { live, closed, reload } = aService();
  const end = Promise.withResolvers<void>();
  const work = live.use(() => end.promise);
  for (const yaml of [TWO, ONE.replace('one', 'three'), `log: { level: debug }\n${TWO}`]) reload(yaml);
  expect(live.app().config.log.level).toBe('debug');
  expect(closed).toEqual(['app.two', 'app.three']);
  await live.close();
  expect(closed).toEqual(['app.two', 'app.three', 'app.one', 'app.two']);
  end.resolve();
  await work;
  expect(closed).toHaveLength(4);
});

test('an error of any kind is told, not thrown', () => {
  const events: Event[] = [];
  const config = load(ONE);
  const { runner } = imagine(config, '2026-11-21T06:00:00Z', '2100-01-01T00:00:00Z');
  const live = keepLive({
    config,
    load: () => {
      throw new MaintenanceError('UNEXPECTED', 'the disk is on fire');
    },
    create: () => ({
      config,
      policies: runner.policies,
      database: runner.database,
      runner: { ...runner, emit: event => void events.push(event) },
      close: async () => {},
    }),
    onLoaded: () => {},
  });
  live.reload();
  expect(events.at(-1)).toMatchObject({ kind: 'reload-failed', error: { message: 'the disk is on fire' } });
});
