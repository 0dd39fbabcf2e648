/** The service as a process: what it logs, serves and leaves behind. */
import { type CliOptions, type CliProcess, cliTest } from './cli.ts';
import { waitUntil } from './client.ts';
import type { TestDatabase } from './database.ts';

export interface Daemon extends CliProcess {
  /** Of its HTTP server. */
  readonly address: string;
  readonly get: (path: string) => Promise<{ readonly code: number; readonly text: string }>;
  /** Every series of /metrics by its name and labels. */
  readonly metrics: () => Promise<ReadonlyMap<string, number>>;
  /** Waits until one series satisfies. */
  readonly metric: (series: string, isWanted: (value: number) => boolean, deadlineMs?: number) => Promise<number>;
  /** Waits until /readyz answers with this code, and gives what it says. */
  readonly ready: (code: 200 | 503, deadlineMs?: number) => Promise<string>;
}

/** A scrape may never wait for a database, which may never answer: Prometheus gives up as well. */
const SCRAPE_MS = 5_000;
/** How long a fact is waited for on a machine that is busy with others; nothing is said about how soon it is there. */
const PATIENCE_MS = 60_000;

/** `start` waits until the service listens, not until it has reached a database. */
export const daemonTest = cliTest.extend('daemon', ({ cli }) => async (options?: CliOptions): Promise<Daemon> => {
  const running = cli.start(['run'], options);
  await running.written('"msg":"listening"');
  const address = String(running.log().find(({ msg }) => msg === 'listening')?.address);
  const get: Daemon['get'] = async path => {
    const response = await fetch(address + path, { signal: AbortSignal.timeout(SCRAPE_MS) });
    return { code: response.status, text: await response.text() };
  };
  const metrics: Daemon['metrics'] = async () => decodeSamples((await get('/metrics')).text);
  return {
    ...running,
    address,
    get,
    metrics,
    metric: (series, isWanted, deadlineMs = PATIENCE_MS) =>
      waitUntil(
        async () => {
          const value = (await metrics()).get(series);
          return value !== undefined && isWanted(value) ? `${value}` : undefined;
        },
        { deadlineMs, what: series },
      ).then(Number),
    ready: (code, deadlineMs = PATIENCE_MS) =>
      waitUntil(
        async () => {
          const answer = await get('/readyz');
          return answer.code === code ? answer.text : undefined;
        },
        { deadlineMs, what: `/readyz to answer with ${code}` },
      ),
  };
});

const decodeSamples = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1).replace('Inf', 'Infinity'))];
      }),
  );

/** The sessions of partkeeper in the database, and what they wait for. */
export const sessionsOf = (database: Pick<TestDatabase, 'query'>) =>
  database.query<{ pid: number; query: string; waits: string | null }>(
    `select pid, query, wait_event_type as waits from pg_stat_activity
      where datname = current_database() and application_name like 'partkeeper%' and application_name not like '%test%'`,
  );

/** Waits until one of them waits for a lock. */
export const untilBlocked = (database: Pick<TestDatabase, 'query'>) =>
  waitUntil(async () => (await sessionsOf(database)).find(({ waits }) => waits === 'Lock'), {
    deadlineMs: PATIENCE_MS,
    what: 'a session of partkeeper to wait for a lock',
  });
