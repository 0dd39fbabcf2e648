/** Somebody who writes into the present all the while, and remembers what was acknowledged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instant } from '../../src/domain/time.ts';
import type { TestDatabase } from '../support/database.ts';

export interface Writer {
  /** Stops writing. @returns what of it is wrong in the table by then */
  readonly stop: () => Promise<readonly string[]>;
}

/** Its rows have negative ids. */
export function startWriter(database: TestDatabase, table: string, at: Instant): Writer {
  const over = new AbortController();
  const tried: number[] = [];
  const acknowledged: number[] = [];
  const refused: string[] = [];
  const write = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const id = -1 - tried.length;
      tried.push(id);
      try {
        await database.query(`insert into ${table} values ($1, $2)`, [id, at.toString()]);
        acknowledged.push(id);
      } catch (error) {
        const code: unknown = Reflect.get(Object(error), 'code');
        // Of all the things that an accident may cause, one must never be: that there is no partition.
        if (code === '23514') refused.push(String(error));
      }
      await sleep(5);
    }
  };
  const writing = write();
  return {
    async stop() {
      over.abort();
      await writing;
      const rows = await database.query<{ id: number; times: number }>(
        `select id::int, count(*)::int as times from ${table} where id < 0 group by id`,
      );
      const found = new Map(rows.map(({ id, times }) => [id, times]));
      return [
        ...acknowledged
          .filter(id => !found.has(id))
          .map(id => `the row ${id} of the writer was acknowledged, and is gone`),
        ...[...found]
          .filter(([id, times]) => times > 1 || !tried.includes(id))
          .map(([id]) => `the row ${id} of the writer is doubled`),
        ...refused.slice(0, 1).map(error => `the writer was refused: ${error}`),
      ];
    },
  };
}
