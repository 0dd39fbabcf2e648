/** A database of its own for each test, cloned from a template and dropped afterwards. */
import { randomBytes } from 'node:crypto';
import { Client, type ClientConfig, DatabaseError, escapeIdentifier, Pool, type QueryResultRow } from 'pg';
import { inject, test } from 'vitest';
import { waitUntil } from './client.ts';
import { type TemplateKind, urlOfDatabase } from './templates.ts';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** The rows of one statement, on a connection of its own that stays open for the whole test. */
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** One more connection, closed at the end of the test. */
  connect(config?: ClientConfig): Promise<Client>;
}

/**
 * `databaseTest('…', async ({ database }) => …)`. What the databases are cloned from is chosen by
 * `const test = databaseTest.extend('template', 'bookkeeping')` for a file, by `test.override('template', 'empty')` for a
 * `describe`. Never by `override` at the top of a file: it changes the test that it is called on, for every file of the
 * process and for whoever imports that file. `admin` is the server's maintenance database.
 */
export const databaseTest = test
  .extend('template', (): TemplateKind => 'empty')
  .extend('serverUrl', { scope: 'file' }, () => inject('serverUrl'))
  // One per file: a backend's first clone takes 80 ms, its next ones 6 ms.
  .extend('admin', { scope: 'file' }, ({ serverUrl }, { onCleanup }) => {
    const admin = openAdmin(serverUrl);
    onCleanup(() => admin.end());
    return admin;
  })
  .extend('database', async ({ admin, template }, { onCleanup }) => {
    const opened = await openTestDatabase(admin, template);
    onCleanup(opened.drop);
    return opened.database;
  });

export const openAdmin = (serverUrl: string): Pool => openQueue(serverUrl, 'partkeeper test databases');

/** For the rare test that needs a second database; `drop` is the caller's duty. */
export async function openTestDatabase(
  admin: Pool,
  template: TemplateKind = 'empty',
): Promise<{ database: TestDatabase; drop: () => Promise<void> }> {
  const templateName = inject('templates')[template];
  if (templateName === undefined) throw new Error(`There is no template database "${template}".`);
  const name = `pk_test_${randomBytes(8).toString('hex')}`;
  const { database, close } = connectTo(urlOfDatabase(inject('serverUrl'), name), name);
  const drop = async (): Promise<void> => {
    // Together, because a statement that still runs on the main connection ends by the force only.
    await Promise.all([close(), admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`)]);
  };

  await cloneTemplate(admin, templateName, name);
  return { database, drop };
}

/** A database that is there, or will be. `close` ends the connections to it. */
export function connectTo(url: string, name: string): { database: TestDatabase; close: () => Promise<void> } {
  const clients: Client[] = [];
  const main = openQueue(url, 'partkeeper test');
  const connect = async (config: ClientConfig = {}): Promise<Client> => {
    const client = await openClient({ connectionString: url, application_name: 'partkeeper test', ...config });
    clients.push(client);
    return client;
  };
  const query: TestDatabase['query'] = async <Row extends QueryResultRow>(sql: string, params?: readonly unknown[]) => {
    const { rows } = await main.query<Row>(sql, params && [...params]);
    return rows;
  };
  const close = async (): Promise<void> => {
    await Promise.allSettled(clients.map(client => client.end()));
    await main.end();
  };
  return { database: { url, name, query, connect }, close };
}

const OBJECT_IN_USE = '55006';
/** Any number of our own. */
const CLONE_LOCK = 1_886_090_853;
const CLONE_DEADLINE_MS = 20_000;

/** Somebody may look at the template (a person with psql): PostgreSQL refuses to clone it meanwhile, so we wait. */
async function cloneTemplate(admin: Pool, template: string, name: string): Promise<void> {
  // FILE_COPY: 6 ms against 45 ms for WAL_LOG, measured on 17.10 with fsync off.
  const clone = `create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)} strategy file_copy`;
  const client = await admin.connect();
  const tryClone = (): Promise<unknown> =>
    client.query(clone).catch((error: unknown) => {
      if (error instanceof DatabaseError && error.code === OBJECT_IN_USE) return undefined;
      throw error;
    });
  try {
    // One at a time: clones at once only fight for the disk.
    await client.query('select pg_advisory_lock($1)', [CLONE_LOCK]);
    await waitUntil(tryClone, {
      deadlineMs: CLONE_DEADLINE_MS,
      pollMs: 100,
      what: `the template database ${template} to be free`,
    });
  } finally {
    await client.query('select pg_advisory_unlock_all()');
    client.release();
  }
}

/** One connection that takes its statements in turn and is never given up. */
function openQueue(connectionString: string, application_name: string): Pool {
  const pool = new Pool({ connectionString, application_name, max: 1, idleTimeoutMillis: 0 });
  pool.on('error', () => undefined);
  return pool;
}

async function openClient(config: ClientConfig): Promise<Client> {
  const client = new Client({ connectionTimeoutMillis: 10_000, ...config });
  // A backend that a test or the final drop ends is no reason for the process to die.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
