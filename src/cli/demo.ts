/** `partkeeper demo`: the service on an embedded PostgreSQL with a realistic history. */
import { createServer } from 'node:net';
import { type Command, Option } from 'commander';
import type { TableConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import { plural } from '../report/figures.ts';
import type { RunReport } from '../run-job.ts';
import { type Io, line } from './io.ts';
import { commandWith, type SharedOptions, wholeNumber } from './options.ts';
import { JSON_LINES, serve, serveConfigured } from './run.ts';

interface DemoCommandOptions extends SharedOptions {
  readonly once?: boolean;
  readonly dataDir?: string;
  readonly rows: number;
}

const DEFAULT_ROWS = 300_000;

export const demoCommand = (): Command =>
  commandWith(
    'demo',
    'run as a service on an embedded PostgreSQL with 14 months of events; with DATABASE_URL, on that database',
    `${JSON_LINES}; what the demo itself has to say goes to standard error`,
  )
    .option('--once', 'stop after the first round of every job')
    .option('--data-dir <folder>', 'keep the embedded database in this folder, and use it again')
    .addOption(new Option('--rows <n>', 'how many events to load').default(DEFAULT_ROWS).argParser(wholeNumber(0)));

/** Ctrl-C is to be over within 5 seconds, and stopping the server takes some of them. */
const FINISH_MS = 1_000;

export async function runDemo(options: DemoCommandOptions, io: Io): Promise<number> {
  const say = (text: string): void => (options.json ? io.error : io.out)(line(`demo: ${text}`));
  const onFirstRound = announceFirstRound(say, options.once ?? false);
  const given = [
    ...(options.databaseUrl ? ['--database-url'] : []),
    ...['DATABASE_URL', 'DATABASE_URL_FILE'].filter(name => io.env[name]),
  ];
  if (given.length > 0) {
    say(`${given[0]} is set: working on that database; nothing is loaded`);
    return serveConfigured(options, io, { onFirstRound });
  }
  try {
    // Imported late: nobody else starts servers.
    const { openDemoDatabase } = await import('../demo/demo-database.ts');
    const database = await openDemoDatabase({
      folder: options.dataDir,
      rows: options.rows,
      onProgress: say,
      signal: io.stopping,
    });
    try {
      const config = await demoConfig(options, database.url, io);
      const onDemoRound = announceFirstRound(say, options.once ?? false, database.url);
      return await serve(config, options, io, { onFirstRound: onDemoRound, finishMs: FINISH_MS, isDemo: true });
    } finally {
      await database.close();
      if (options.dataDir === undefined) say('the embedded database is stopped and removed');
      else say(`the embedded database is stopped; its data stay in ${options.dataDir}`);
    }
  } catch (error) {
    if (!io.stopping.aborted) throw error;
    say(
      `stopped before it was ready; ${options.dataDir === undefined ? 'nothing is left of it' : `the next start goes on in ${options.dataDir}`}`,
    );
    return EXIT_CODES.done;
  }
}

/** The bundled policy, unless a file was named: one that happens to lie in the working directory is not for this database. */
async function demoConfig(options: DemoCommandOptions, databaseUrl: string, { env, cwd }: Io) {
  const isNamed = options.config !== undefined || Boolean(env.PARTKEEPER_CONFIG);
  const config = loadConfig({
    flags: { ...options, databaseUrl },
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PG'))),
    cwd,
    // It is for people, also when they redirect it.
    isTerminal: true,
    ...(!isNamed && { readFile: noFile }),
  });
  const listen = config.http;
  const demo = { ...config, tables: config.tables.map(agreed) };
  if (!listen || options.listen !== undefined || (await isFree(listen.host, listen.port))) return demo;
  return { ...demo, http: { ...listen, port: 0 } };
}

/** Most of the history is expired at the start, on purpose: elsewhere somebody would have to acknowledge that first. */
const agreed = (table: TableConfig): TableConfig => ({ ...table, policy: { ...table.policy, maxShare: 1 } });

const noFile = (): never => {
  throw Object.assign(new Error('the demo reads no file'), { code: 'ENOENT' });
};

async function isFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

const DONE: { readonly [K in JobName]: (count: number) => string } = {
  provision: count => `${plural(count, 'partition')} created`,
  retire: count => `${plural(count, 'partition')} retired`,
  refresh: count => `${plural(count, 'view')} refreshed`,
  analyze: count => plural(count, 'ANALYZE statement'),
};

const announceFirstRound =
  (say: (text: string) => void, once: boolean, databaseUrl?: string) =>
  (reports: readonly RunReport[], address: string | undefined) => {
    const count = (job: JobName): number =>
      reports.filter(({ run }) => run.job === job).reduce((sum, { done }) => sum + done, 0);
    say(`first round: ${JOB_NAMES.map(job => DONE[job](count(job))).join(', ')}`);
    if (once) return;
    if (address !== undefined) {
      say(`the status page: ${address}`);
      say(`metrics for Prometheus: ${address}/metrics`);
    }
    const variable = databaseUrl === undefined ? '' : `DATABASE_URL='${databaseUrl}' `;
    say(
      `a refresh by hand, from another terminal: ${variable}npm run partkeeper -- trigger refresh unified.mv_recent_events --wait`,
    );
    say('running on its schedules from here on; stop with Ctrl-C');
  };
