/** An operator at night copies these statements as they stand. */
import { expect } from 'vitest';
import { databaseTest } from '../support/database.ts';
import { chaptersOf, readOps } from '../support/ops.ts';

const test = databaseTest.extend('template', 'queue');

const blocks = [...chaptersOf(readOps('runbook.md'))].flatMap(([heading, text]) =>
  [...text.matchAll(/^```sql\n([\s\S]*?)^```/gm)].map(([, sql = '']) => ({ heading, sql })),
);

test('every SQL block of the runbook runs, and changes nothing', async ({ database }) => {
  expect(blocks.length).toBeGreaterThan(15);
  await database.query('create schema app; create table app.events (at timestamptz not null) partition by range (at)');
  const faults: string[] = [];
  for (const { heading, sql } of blocks)
    await database
      .query(`begin transaction read only; ${sql}; rollback`)
      .catch((error: Error) => faults.push(`${heading}: ${error.message}`));
  expect(faults).toEqual([]);
});
