/**
 * What one idle service costs its database: statements a minute, by pg_stat_statements, and connections.
 *
 *     node bench/idle.ts [seconds]      default 60; the target is at most 150 statements a minute and 4 connections
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { startEmbeddedServer } from '../src/demo/embedded-server.ts';
import { migrateUp } from '../src/schema/migrate.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const LIMITS = { statements: 150, connections: 4 };

const seconds = Number(process.argv[2] ?? 60);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

const server = await startEmbeddedServer({
  settings: { shared_preload_libraries: 'pg_stat_statements', autovacuum: 'off' },
});
const watcher = new Client({ connectionString: server.url, application_name: 'watcher' });
let isWithin = false;
try {
  await watcher.connect();
  await migrateUp(watcher, ['bookkeeping', 'bundled']);
  await watcher.query('create extension pg_stat_statements');
  const daemon = spawn(process.execPath, [MAIN, 'run'], {
    cwd: tmpdir(),
    env: { ...process.env, DATABASE_URL: server.url, PARTKEEPER_LISTEN: '127.0.0.1:0', PARTKEEPER_LOG_FORMAT: 'json' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await untilQuiet(watcher);
    await watcher.query('select pg_stat_statements_reset()');
    print(`measuring ${seconds} s of an idle service …`);
    await new Promise(resolve => setTimeout(resolve, seconds * 1000));
    isWithin = await report(watcher);
  } finally {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
} finally {
  await watcher.end();
  await server.remove();
}
process.exitCode = isWithin ? 0 : 1;

/** What was due at the start is done. */
async function untilQuiet(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ done: boolean }>(
      `select count(*) >= 6 and bool_and(finished_at is not null) and max(finished_at) < now() - interval '5 seconds' as done from partkeeper.runs`,
    );
    if (rows[0]?.done) return;
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}

async function report(client: Client): Promise<boolean> {
  const { rows: statements } = await client.query<{ calls: number; query: string }>(
    `select sum(calls)::int as calls, left(regexp_replace(query, '\\s+', ' ', 'g'), 90) as query
     from pg_stat_statements where query not like '%pg_stat_statements%' group by 2 order by 1 desc`,
  );
  const { rows: connections } = await client.query<{ name: string; count: number }>(
    `select application_name as name, count(*)::int as count from pg_stat_activity
     where backend_type = 'client backend' and pid <> pg_backend_pid() group by 1 order by 1`,
  );
  for (const { calls, query } of statements.slice(0, 20)) print(`${String(calls).padStart(6)}  ${query}`);
  const aMinute = (statements.reduce((sum, { calls }) => sum + calls, 0) / seconds) * 60;
  const held = connections.reduce((sum, { count }) => sum + count, 0);
  print('');
  print(`statements a minute: ${aMinute.toFixed(0)} (at most ${LIMITS.statements})`);
  print(
    `connections: ${held} (at most ${LIMITS.connections}): ${connections.map(({ name, count }) => `${count} ${name}`).join(', ')}`,
  );
  return aMinute <= LIMITS.statements && held <= LIMITS.connections;
}
