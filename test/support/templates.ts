/** The databases that tests are cloned from: one per kind, made once per run. */
import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';
import { migrateUp } from '../../src/schema/migrate.ts';
import { install } from './install.ts';

/** What a template is filled with. To add one: a name, and what fills it; tests then choose it by that name. */
const CONTENTS = {
  empty: async (_databaseUrl: string): Promise<void> => {},
  /** partkeeper's own schema, which remembers refreshes. */
  bookkeeping: (databaseUrl: string): Promise<void> =>
    withClient(databaseUrl, client => migrateUp(client, ['bookkeeping'])),
  /** With the queue beside it, as `migrate up` leaves it. */
  queue: (databaseUrl: string): Promise<void> => install({ url: databaseUrl }),
  /** The bundled schema of events and sessions as well. */
  schema: (databaseUrl: string): Promise<void> =>
    withClient(databaseUrl, client => migrateUp(client, ['bookkeeping', 'bundled'])),
};

export type TemplateKind = keyof typeof CONTENTS;
export type Templates = Readonly<Record<string, string>>;

declare module 'vitest' {
  interface ProvidedContext {
    /** The server's maintenance database, as a role that may create databases. */
    serverUrl: string;
    /** The template database of each kind. */
    templates: Templates;
  }
}

/** The same server, another database. */
export function urlOfDatabase(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

export async function prepareTemplates(adminUrl: string): Promise<Templates> {
  // Names of this run's own: two runs may share a server, and the contents change from one commit to the next.
  const run = randomBytes(4).toString('hex');
  const templates: Record<string, string> = {};
  await withClient(adminUrl, async admin => {
    for (const [kind, fill] of Object.entries(CONTENTS)) {
      const name = `pk_template_${kind}_${run}`;
      templates[kind] = name;
      await admin.query(`create database ${escapeIdentifier(name)} template template0 encoding 'UTF8'`);
      await fill(urlOfDatabase(adminUrl, name));
      // A template that nobody can connect to can always be cloned.
      await admin.query(`alter database ${escapeIdentifier(name)} allow_connections false`);
    }
  });
  return templates;
}

export const dropTemplates = (adminUrl: string, templates: Templates): Promise<void> =>
  withClient(adminUrl, async admin => {
    for (const name of Object.values(templates))
      await admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
  });

async function withClient(url: string, run: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'partkeeper test templates' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
}
