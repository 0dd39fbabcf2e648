/** What a killed process has left beside a default partition may refuse rows: it is not left there until the next tick. */
import { readFileSync } from 'node:fs';
import type { PgBoss } from 'pg-boss';
import type { RelationName } from '../domain/relation.ts';
import type { Runner } from '../run-job.ts';
import { askFor } from './send.ts';

const LEFTOVERS = readFileSync(new URL('../../sql/queue/leftovers.sql', import.meta.url), 'utf8');

/** Asks for a run of provision, which clears first of all; where another replica is at it, there is nothing to ask for. */
export async function askForClearing({ database, policies }: Runner, boss: Pick<PgBoss, 'send'>): Promise<void> {
  const relations = policies.tables.map(({ relation }) => relation);
  const pairs = [relations.map(({ schema }) => schema), relations.map(({ name }) => name)];
  const tables = await database.read(session =>
    session.query<RelationName>(LEFTOVERS, pairs, 'look for what interrupted runs have left'),
  );
  for (const table of tables)
    await askFor({ database }, boss, 'provision', table, 'an interrupted run has left something behind');
}
