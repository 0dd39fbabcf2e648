/** One prepared database, and as many copies of it as a test wants. */
import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier, type Pool, type QueryResultRow } from 'pg';
import { inject } from 'vitest';
import type { TestDatabase } from './database.ts';
import { type TemplateKind, urlOfDatabase } from './templates.ts';

export interface Clone extends Pick<TestDatabase, 'url' | 'name' | 'query'> {
  readonly drop: () => Promise<void>;
}

export interface Prepared {
  readonly clone: () => Promise<Clone>;
  readonly drop: () => Promise<void>;
}

/** `admin` has one connection and so makes one copy at a time: at once they would only fight for the disk. */
export async function prepareDatabase(
  admin: Pool,
  template: TemplateKind,
  fill: (database: Clone) => Promise<void>,
): Promise<Prepared> {
  const templateName = inject('templates')[template];
  if (templateName === undefined) throw new Error(`There is no template database "${template}".`);
  const name = `pk_prepared_${randomBytes(8).toString('hex')}`;
  const drop = async (): Promise<void> => {
    await admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
  };
  const { database, close } = await openCopy(admin, templateName, name);
  try {
    await fill(database);
    await close();
    // Nobody can be connected to it any more, so it can be cloned at any time.
    await admin.query(`alter database ${escapeIdentifier(name)} allow_connections false`);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    drop,
    async clone() {
      const copy = await openCopy(admin, name, `pk_clone_${randomBytes(8).toString('hex')}`);
      return copy.database;
    },
  };
}

async function openCopy(
  admin: Pool,
  template: string,
  name: string,
): Promise<{ readonly database: Clone; readonly close: () => Promise<void> }> {
  await admin.query(
    `create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)} strategy file_copy`,
  );
  const url = urlOfDatabase(inject('serverUrl'), name);
  // A question that has to wait for somebody's lock fails in the end instead of keeping the test waiting.
  const client = new Client({
    connectionString: url,
    application_name: 'partkeeper test clone',
    connectionTimeoutMillis: 10_000,
    statement_timeout: 10_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  const close = (): Promise<void> => client.end();
  const query: Clone['query'] = async <Row extends QueryResultRow>(sql: string, params?: readonly unknown[]) =>
    (await client.query<Row>(sql, params && [...params])).rows;
  return {
    close,
    database: {
      url,
      name,
      query,
      async drop() {
        await close();
        await admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
      },
    },
  };
}
