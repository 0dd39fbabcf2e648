/** What the server says about a statement besides its result. */
import type { TestDatabase } from './database.ts';

/** Runs the statements, each for itself, and gives what the server had to say at the level of debug1. */
export async function noticesOf(
  database: Pick<TestDatabase, 'connect'>,
  statements: readonly string[],
): Promise<readonly string[]> {
  const client = await database.connect();
  const said: string[] = [];
  client.on('notice', ({ message }) => said.push(message ?? ''));
  await client.query('set client_min_messages = debug1');
  for (const statement of statements) await client.query(statement);
  return said;
}
