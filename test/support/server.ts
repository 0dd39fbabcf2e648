/** vitest's global setup: one server for the whole run, whichever of the projects need it. */
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedServer } from '../../src/demo/embedded-server.ts';
import { startContainerServer } from './container-server.ts';
import { DEFAULT_POSTGRES_VERSION, findBinariesOf } from './postgres-versions.ts';
import { dropTemplates, prepareTemplates } from './templates.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server of somebody's own may let everybody in; tests of passwords that are wrong are left out then, and that is told. */
    asksForPassword: boolean;
  }
}

interface TestServer {
  readonly url: string;
  readonly asksForPassword: boolean;
  /** For people. */
  readonly description: string;
  readonly remove: () => Promise<void>;
}

const SETTINGS = {
  max_connections: '200',
  max_locks_per_transaction: '256',
  // Statistics and dead rows change when a test says so, not when a background process finds the time.
  autovacuum: 'off',
  log_min_messages: 'fatal',
};

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const root = project.vitest.getRootProject();
  // vitest calls this once per project, one after the other; what the first provides to the root, all can see.
  if (root.getProvidedContext().serverUrl !== undefined) return undefined;
  const server = await findServer();
  try {
    const templates = await prepareTemplates(server.url);
    process.stdout.write(`The tests run on ${server.description}.\n`);
    if (!server.asksForPassword)
      process.stdout.write('It asks for no password: the tests of wrong passwords are left out.\n');
    root.provide('serverUrl', server.url);
    root.provide('templates', templates);
    root.provide('asksForPassword', server.asksForPassword);
    return async () => {
      await dropTemplates(server.url, templates);
      await server.remove();
    };
  } catch (error) {
    await server.remove();
    throw error;
  }
}

// A container only where it is asked for: that a Docker engine answers is no reason to pull images and to run slower.
const findServer = async (): Promise<TestServer> =>
  (await useGivenServer()) ?? (await startContainer()) ?? (await startOwnServer());

async function useGivenServer(): Promise<TestServer | undefined> {
  const { TEST_DATABASE_URL: url } = process.env;
  if (!url) return undefined;
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; allowed: boolean }>(
      `select current_setting('server_version') as version, rolsuper or rolcreatedb as allowed
         from pg_catalog.pg_roles where rolname = current_user`,
    );
    if (!rows[0]?.allowed)
      throw new Error('TEST_DATABASE_URL names a role that may not create databases: grant it CREATEDB or superuser.');
    return {
      url,
      asksForPassword: await asksForPassword(url),
      description: `PostgreSQL ${rows[0].version} at ${new URL(url).host} (TEST_DATABASE_URL)`,
      remove: async () => {},
    };
  } finally {
    await client.end();
  }
}

async function asksForPassword(url: string): Promise<boolean> {
  const wrong = new URL(url);
  wrong.password = `${wrong.password}-and-more`;
  const client = new Client({ connectionString: wrong.href, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  return client.connect().then(
    async () => {
      await client.end();
      return false;
    },
    () => true,
  );
}

async function startContainer(): Promise<TestServer | undefined> {
  const { TEST_SERVER: kind, TEST_POSTGRES: version } = process.env;
  if (!kind || kind === 'embedded') return undefined;
  if (kind !== 'testcontainers')
    throw new Error(`TEST_SERVER is "${kind}": the tests know embedded (the default) and testcontainers.`);
  const { url, image, remove } = await startContainerServer(version || DEFAULT_POSTGRES_VERSION, SETTINGS);
  return {
    url,
    asksForPassword: true,
    description: `PostgreSQL ${await versionOf(url)} in a container of ${image}`,
    remove,
  };
}

async function versionOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return (await client.query<{ server_version: string }>('show server_version')).rows[0]?.server_version ?? '';
  } finally {
    await client.end();
  }
}

async function startOwnServer(): Promise<TestServer> {
  const { TEST_POSTGRES: version } = process.env;
  const binaries = await findBinariesOf(version || DEFAULT_POSTGRES_VERSION);
  const server = await startEmbeddedServer({ binaries, durable: false, settings: SETTINGS });
  return {
    url: server.url,
    asksForPassword: true,
    description: `PostgreSQL ${server.version}, started for them`,
    remove: server.remove,
  };
}
