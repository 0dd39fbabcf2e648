/**
 * Takes the pictures of the status page in docs/images: of the demo's data, under a policy that leaves something to see, and with a
 * partition that somebody has dropped by hand. Needs Chromium, and takes a minute.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { openBrowser } from '../test/support/browser.ts';

const IMAGES = join(import.meta.dirname, '../docs/images');
const MAIN = join(import.meta.dirname, '../src/main.ts');
const MAX_BYTES = 250_000;

const POLICY = `tables:
  unified.event_metric_events:
    interval: month
    premake: 3
    retention: 9 months
    retire: drop
    grace: 30 days
    maxPerRun: 2
    analyze: { after: provision, schedule: '15 3 * * *' }
views:
  unified.mv_recent_events: { schedule: '*/5 * * * *' }
  unified.mv_error_summary: { schedule: '*/15 * * * *' }
  unified.mv_performance_metrics: { schedule: '*/5 * * * *' }
`;

const PICTURES = [
  { name: 'status-light', colorScheme: 'light', width: 1120, height: 900, scale: 1, at: '' },
  { name: 'status-dark', colorScheme: 'dark', width: 1120, height: 900, scale: 1, at: '' },
  { name: 'status-phone', colorScheme: 'light', width: 360, height: 780, scale: 1.5, at: '#tables' },
] as const;

const folder = mkdtempSync(join(tmpdir(), 'partkeeper-pictures-'));
const config = join(folder, 'partkeeper.yaml');
writeFileSync(config, POLICY);
const demo = spawn(
  process.execPath,
  [MAIN, 'demo', '--config', config, '--rows', '200_000', '--listen', '127.0.0.1:0', '--log-level', 'warn'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let output = '';
demo.stdout.on('data', (chunk: Buffer) => {
  output += chunk.toString();
});

try {
  const address = await found(/metrics for Prometheus: (\S+)\/metrics/);
  const url = await found(/DATABASE_URL='([^']+)'/);
  await breakSomething(url);
  // The service looks every half minute.
  while (!(await (await fetch(`${address}/api/status`)).text()).includes('"headline":"create partition'))
    await sleep(1_000);
  const browser = await openBrowser();
  for (const { name, colorScheme, width, height, scale, at } of PICTURES) {
    const page = await browser.newPage({
      viewport: { width, height },
      deviceScaleFactor: scale,
      colorScheme,
      // The way to the tables is not to be seen.
      reducedMotion: 'reduce',
    });
    await page.goto(`${address}/${at}`);
    const path = join(IMAGES, `${name}.png`);
    await page.screenshot({ path });
    const { size } = statSync(path);
    process.stdout.write(`docs/images/${name}.png: ${Math.round(size / 1000)} kB\n`);
    if (size > MAX_BYTES) process.exitCode = 1;
  }
  await browser.close();
} finally {
  demo.kill('SIGTERM');
  await once(demo, 'exit');
  rmSync(folder, { recursive: true });
}

async function found(pattern: RegExp): Promise<string> {
  for (;;) {
    const text = pattern.exec(output)?.[1];
    if (text !== undefined) return text;
    if (demo.exitCode !== null) throw new Error(`the demo has ended: ${output}`);
    await sleep(200);
  }
}

/** Somebody drops the partition of the next month. */
async function breakSomething(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query(`do $$ begin
    execute (select format('drop table %s', i.inhrelid::regclass)
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'unified.event_metric_events'::regclass
        and c.relname = 'event_metric_events_' || to_char(now() at time zone 'UTC' + interval '1 month', 'YYYY_MM'));
  end $$`);
  await client.query(
    `insert into partkeeper.pauses (job, target, paused_by, reason) values ('analyze', '', 'mira', 'load test until Monday')`,
  );
  await client.end();
}
