/** F10: the machine that partkeeper runs on is gone, without a word. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { databaseTest } from '../support/database.ts';
import { dropPackets, hasFirewall } from '../support/firewall.ts';
import { createTable, months } from '../support/tables.ts';

const HOLDER = fileURLToPath(new URL('../support/hold-until-killed.ts', import.meta.url));

databaseTest.runIf(hasFirewall || process.env.CI !== undefined).concurrent.for([
  ['lock', 'the lock of a run, and is idle'],
  ['table', 'a table in a transaction, with an answer on its way'],
  ['session', 'nothing but a session, with an answer on its way'],
])(
  'F10: a machine that vanishes while it holds %s (%s): its session is ended within seconds, and with it all it held',
  { timeout: 90_000 },
  async ([what = ''], { database }) => {
    await createTable(database, 'public.events', { partitions: months('events', '2026-01', 1) });
    const holder = spawn(process.execPath, [HOLDER, what, database.url], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => Promise.reject(new Error('It ended before it held anything.'))),
    ]);
    const read = () =>
      database.query<{ pid: number; port: number }>(
        `select pid, client_port as port from pg_stat_activity
           where datname = current_database() and application_name in ('partkeeper', 'partkeeper run')`,
      );
    const [held] = await read();
    expect(held).toBeDefined();
    onTestFinished(dropPackets(held?.port ?? 0));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(await read()).toEqual([held]);
    await waitUntil(async () => (await read()).length === 0, { deadlineMs: 40_000, what: 'the server to notice' });
  },
);
