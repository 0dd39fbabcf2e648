/** An accelerated soak: years of ticks in minutes, and whether what the service holds keeps growing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { type Launch, startService } from './service.ts';
import { slopeOf } from './slope.ts';

/** Every job each second; hourly partitions, so that something is created and retired all the time. */
const CONFIG = `
tables:
  soak.events: { interval: hour, premake: 3, retention: 3 hours, retire: drop, analyze: { after: provision, schedule: '* * * * * *' } }
views:
  soak.counts: { schedule: '* * * * * *' }
jobs:
  provision: { schedule: '* * * * * *' }
  retire: { schedule: '* * * * * *' }
`;

const SCHEMA = `
create schema soak;
create table soak.events (id bigint generated always as identity, at timestamptz not null) partition by range (at);
create materialized view soak.counts as select date_trunc('hour', at) as hour, count(*) as rows from soak.events group by 1;
create unique index on soak.counts (hour);`;

/** Of what it holds, in an hour. Ticks come 300 times as fast as those of the bundled policy: a real leak is far beyond it. */
const GROWTH_LIMIT_MIB = 6;
const SAMPLE_MS = 5_000;
const SAMPLES_A_MINUTE = 60_000 / SAMPLE_MS;

interface Sample {
  readonly hours: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
}

/** @returns whether it stopped growing */
export async function soak(
  client: Client,
  {
    minutes,
    folder,
    print,
    ...launch
  }: Launch & {
    readonly minutes: number;
    readonly folder: string;
    readonly print: (line: string) => void;
  },
): Promise<boolean> {
  await client.query(SCHEMA);
  const config = join(folder, 'soak.yaml');
  await writeFile(config, CONFIG);
  // What we do to its partitions it finds wrong, many times a minute.
  const service = await startService({ ...launch, config, isQuiet: true });
  const samples: Sample[] = [];
  try {
    const startedMs = performance.now();
    print('minute   RSS MiB  heap MiB      runs   changes');
    while (performance.now() - startedMs < minutes * 60_000) {
      await delay(SAMPLE_MS, undefined, { signal: launch.signal });
      await churn(client);
      samples.push({
        hours: (performance.now() - startedMs) / 3_600_000,
        rssMiB: service.rssMiB(),
        heapMiB: (await service.metric('nodejs_heap_size_used_bytes')) / 2 ** 20,
      });
      if (samples.length % SAMPLES_A_MINUTE > 0) continue;
      const minute = samples.slice(-SAMPLES_A_MINUTE);
      const counts = [
        await service.metric('partkeeper_runs_total'),
        await service.metric('partkeeper_partition_changes_total'),
      ];
      const sizes = [least(minute, 'rssMiB'), least(minute, 'heapMiB')];
      const columns = [
        String(samples.length / SAMPLES_A_MINUTE),
        ...sizes.map(mib => mib.toFixed(1)),
        ...counts.map(count => count.toFixed(0)),
      ];
      print(columns.map((text, index) => text.padStart(index === 0 ? 6 : 8)).join('  '));
    }
  } finally {
    await service.stop();
  }
  // The first third is for warming up: code is compiled, pools and histograms fill.
  const settled = samples.slice(Math.ceil(samples.length / 3));
  // Between two collections the heap always grows: of each minute, only the least counts.
  const lows = (of: 'rssMiB' | 'heapMiB') =>
    Array.from({ length: Math.floor(settled.length / SAMPLES_A_MINUTE) }, (_, index) => {
      const minute = settled.slice(index * SAMPLES_A_MINUTE, (index + 1) * SAMPLES_A_MINUTE);
      return { x: minute[0]?.hours ?? 0, y: least(minute, of) };
    });
  const growth = { rss: slopeOf(lows('rssMiB')), heap: slopeOf(lows('heapMiB')) };
  print(
    `growth after the first third: RSS ${growth.rss.toFixed(1)} MiB an hour, heap ${growth.heap.toFixed(1)} (at most ${GROWTH_LIMIT_MIB})`,
  );
  if (minutes < 15) print('fewer than 15 minutes say little about growth: that is no verdict');
  return minutes < 15 || Math.max(growth.rss, growth.heap) <= GROWTH_LIMIT_MIB;
}

const least = (samples: readonly Sample[], of: 'rssMiB' | 'heapMiB'): number =>
  Math.min(...samples.map(sample => sample[of]));

/** Rows for the view, an old partition for retiring to find, and one that is missing for provisioning to make. */
async function churn(client: Client): Promise<void> {
  await client.query(`
    do $$
    declare
      newest text;
      old timestamptz := date_trunc('hour', now()) - interval '10 hours';
    begin
      if to_regclass('soak.events_by_hand') is null then
        execute format('create table soak.events_by_hand partition of soak.events for values from (%L) to (%L)', old, old + interval '1 hour');
      end if;
      select c.relname into newest from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'soak.events'::regclass order by c.oid desc offset 1 limit 1;
      if newest is not null and newest <> 'events_by_hand' then execute format('drop table soak.%I', newest); end if;
    end $$`);
  await client.query('insert into soak.events (at) select now() from generate_series(1, 100)').catch(() => {});
}
