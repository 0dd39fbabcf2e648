/** Debian's Prometheus, for a test that wants to be scraped for real. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { waitUntil } from './client.ts';
import { ALERTS_FILE } from './ops.ts';

export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}
export interface JudgedRule {
  readonly name: string;
  readonly health: 'unknown' | 'ok' | 'err';
  readonly lastError?: string;
  /** Of an alert. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

export interface Prometheus {
  /** Throws where the expression is none. */
  readonly query: (expression: string) => Promise<readonly Sample[]>;
  readonly rules: () => Promise<readonly JudgedRule[]>;
  readonly stop: () => Promise<void>;
}

const DEADLINE_MS = 60_000;

/** Scrapes `address` each second, as job `partkeeper`, and evaluates our rules as often. */
export async function startPrometheus(address: string): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const config = join(folder, 'prometheus.yml');
  await writeFile(
    config,
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [ALERTS_FILE],
      scrape_configs: [{ job_name: 'partkeeper', static_configs: [{ targets: [new URL(address).host] }] }],
    }),
  );
  const child = spawn(
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--web.listen-address=127.0.0.1:0'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
    await rm(folder, { recursive: true });
  };

  try {
    // It listens before it answers.
    const own = await waitUntil(() => log.includes('Server is ready') && /Listening on" address=(\S+)/.exec(log)?.[1], {
      deadlineMs: DEADLINE_MS,
      what: 'Prometheus to be ready',
    });
    const ask = async <T>(path: string): Promise<T> => {
      const response = await fetch(`http://${own}/api/v1/${path}`);
      const answer = (await response.json()) as { readonly data: T; readonly error?: string };
      if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
      return answer.data;
    };
    return {
      query: async expression =>
        (await ask<{ readonly result: readonly Sample[] }>(`query?query=${encodeURIComponent(expression)}`)).result,
      rules: async () =>
        (await ask<{ readonly groups: readonly { readonly rules: readonly JudgedRule[] }[] }>('rules')).groups.flatMap(
          group => group.rules,
        ),
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`Prometheus wrote:\n${log}`, { cause: error });
  }
}
