/**
 * What a careful person would write by hand. Creating: LIKE and ATTACH, with a validated CHECK on the default partition that
 * spares the attach its scan. Retiring: DETACH … CONCURRENTLY, or where a default partition forbids it a plain DETACH; then DROP.
 * Whatever needs a lock that others use is tried again and again under a short `lock_timeout`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import { type Contender, PREMAKE, RETENTION_DAYS } from './contender.ts';

const LOCK_TIMEOUT = '50ms';
const PAUSE_MS = 300;
const TRIES = 100;
const WORTH_ANOTHER_TRY = ['55P03', '40P01'];

export const handWritten: Contender = {
  name: 'sql',
  title: 'hand-written SQL',
  absence: async () => undefined,
  prepare: async ({ url, signal }) => {
    const client = new Client({ connectionString: url, application_name: 'hand-written SQL' });
    client.on('error', () => undefined);
    await client.connect();
    const session = { client, signal };
    return {
      pass: async () => {
        const hasDefault =
          (await texts(client, `select 'yes' where to_regclass('bench.events_default') is not null`)).length > 0;
        for (const day of await texts(client, MISSING)) await create(session, day, hasDefault);
        for (const name of await texts(client, EXPIRED)) await retire(session, name, hasDefault);
        return undefined;
      },
      close: () => client.end(),
    };
  },
};

interface Session {
  readonly client: Client;
  readonly signal: AbortSignal;
}

const MISSING = `
  select to_char(day, 'YYYY_MM_DD')
  from generate_series(date_trunc('day', now()), date_trunc('day', now()) + interval '${PREMAKE} days', interval '1 day') day
  where to_regclass('bench.events_p' || to_char(day, 'YYYY_MM_DD')) is null order by 1`;

const EXPIRED = `
  select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'bench.events'::regclass and c.relname ~ '_p[0-9_]{10}$'
    and to_date(right(c.relname, 10), 'YYYY_MM_DD') + 1 <= (now() - interval '${RETENTION_DAYS} days')::date order by 1`;

async function create(session: Session, day: string, hasDefault: boolean): Promise<void> {
  const { client } = session;
  const partition = `bench.events_p${day}`;
  const [lower, upper] = await texts(
    client,
    `select d::timestamptz from (values (to_date('${day}', 'YYYY_MM_DD')), (to_date('${day}', 'YYYY_MM_DD') + 1)) v (d) order by 1`,
  );
  const range = `ts >= '${lower}' and ts < '${upper}'`;
  await client.query(
    `create table ${partition} (like bench.events including defaults including constraints including indexes including storage,
       check (${range}))`,
  );
  if (hasDefault) {
    await insistently(
      session,
      `alter table bench.events_default add constraint not_${day} check (ts is not null and not (${range})) not valid`,
    );
    await client.query(`alter table bench.events_default validate constraint not_${day}`);
  }
  await insistently(
    session,
    `alter table bench.events attach partition ${partition} for values from ('${lower}') to ('${upper}')`,
  );
  if (hasDefault) await insistently(session, `alter table bench.events_default drop constraint not_${day}`);
}

async function retire(session: Session, name: string, hasDefault: boolean): Promise<void> {
  const detach = `alter table bench.events detach partition bench.${name}`;
  if (hasDefault) await insistently(session, detach);
  else await session.client.query(`${detach} concurrently`);
  await session.client.query(`drop table bench.${name}`);
}

/** Never longer in a queue than the timeout, and as often as it takes. */
async function insistently({ client, signal }: Session, statement: string): Promise<void> {
  await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(statement);
      break;
    } catch (error) {
      const isPassing = error instanceof DatabaseError && WORTH_ANOTHER_TRY.includes(error.code ?? '');
      if (!isPassing || attempt === TRIES) throw error;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
  await client.query('set lock_timeout = 0');
}

async function texts(client: Client, query: string): Promise<readonly string[]> {
  const { rows } = await client.query<unknown[]>({
    text: query,
    rowMode: 'array',
    types: { getTypeParser: () => String },
  });
  return rows.map(([first]) => String(first));
}
