/** Writers, updaters, deleters and readers that work on `public.events (id, at, note)` while something is done to it. */
import type { Client } from 'pg';
import type { TestDatabase } from './database.ts';
import { type Chance, chance } from './random.ts';

export interface TrafficOptions {
  readonly writers: number;
  /** Keys that rows are written with, moved to and from. */
  readonly keys: readonly string[];
  readonly seed: number;
  /** So many rows with `note` = 'still' that nobody touches: every reader has to see each of them once. */
  readonly still: number;
}

export interface TrafficReport {
  /** What anybody was told other than that it was done. */
  readonly errors: readonly string[];
  readonly statements: number;
  readonly longestMs: number;
  /** Rows that were seen too many or too few, reading by reading. */
  readonly misread: readonly number[];
  /** `id at note`, of every row that the writers have left, as they remember it. */
  readonly rows: readonly string[];
}

export interface Traffic {
  /** Statements that were done so far. */
  readonly done: () => number;
  readonly stop: () => Promise<TrafficReport>;
}

/** Ids from here on are the writers' own, each in a range of its own. */
const FIRST_ID = 1_000_000_000;

export async function startTraffic(
  database: TestDatabase,
  { writers, keys, seed, still }: TrafficOptions,
): Promise<Traffic> {
  const errors: string[] = [];
  const misread: number[] = [];
  const rows = new Map<number, string>();
  let statements = 0;
  let longestMs = 0;
  const stopping = new AbortController();

  const run = async (client: Client, sql: string, params: readonly unknown[]) => {
    const started = performance.now();
    try {
      return await client.query(sql, [...params]);
    } catch (error) {
      errors.push(`${sql}: ${String(error)}`);
      return undefined;
    } finally {
      statements += 1;
      longestMs = Math.max(longestMs, performance.now() - started);
    }
  };

  const write = async (client: Client, first: number, random: Chance): Promise<void> => {
    const mine: number[] = [];
    for (let next = first; !stopping.signal.aborted; ) {
      const id = mine[random.below(mine.length + 1)];
      const at = random.pick(keys);
      if (id === undefined || mine.length < 10) {
        next += 1;
        if (await run(client, `insert into events (id, at, note) values ($1, $2, 'new')`, [next, at])) {
          mine.push(next);
          rows.set(next, `${next} ${at} new`);
        }
      } else if (random.below(4) === 0) {
        if ((await run(client, 'delete from events where id = $1', [id]))?.rowCount === 1) rows.delete(id);
        mine.splice(mine.indexOf(id), 1);
      } else {
        const note = `changed ${random.below(1_000)}`;
        const changed = await run(client, 'update events set at = $2, note = $3 where id = $1', [id, at, note]);
        if (changed?.rowCount === 1) rows.set(id, `${id} ${at} ${note}`);
      }
    }
  };

  const read = async (client: Client): Promise<void> => {
    while (!stopping.signal.aborted) {
      const found = await run(client, `select count(*)::int as n from events where note = 'still'`, []);
      const [row] = (found?.rows ?? []) as { n: number }[];
      if (row && row.n !== still) misread.push(row.n - still);
    }
  };

  const connect = async (): Promise<Client> => {
    const client = await database.connect();
    await client.query(`set timezone = 'UTC'`);
    return client;
  };
  const random = chance(seed);
  const reader = await connect();
  const clients = await Promise.all(Array.from({ length: writers }, connect));
  const running = [
    read(reader),
    ...clients.map((client, index) => write(client, FIRST_ID * (index + 1), chance(random.below(2 ** 31)))),
  ];
  return {
    done: () => statements,
    async stop() {
      stopping.abort();
      await Promise.all(running);
      return { errors, statements, longestMs, misread, rows: [...rows.values()].toSorted() };
    },
  };
}

/** The writers' rows as they are, to be compared with what the writers remember. */
export async function rowsOfTraffic(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.query<{ row: string }>(
    `select concat_ws(' ', id, to_char(at at time zone 'UTC', 'YYYY-MM-DD'), note) as row from events where id > $1 order by 1`,
    [FIRST_ID],
  );
  return rows.map(({ row }) => row).toSorted();
}
