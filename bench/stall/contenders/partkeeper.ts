/** partkeeper with its defaults and its ledger: one `apply` of the table is one pass. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCli } from '../processes.ts';
import { type Contender, PREMAKE, RETENTION_DAYS } from './contender.ts';
import type { CliAnswer } from './partkeeper-process.ts';

// ANALYZE of the whole table is not part of anyone's pass here.
const configFile = (zone: string): string => `
database: { url: '\${DATABASE_URL}' }
tables:
  bench.events:
    interval: day
    premake: ${PREMAKE}
    retention: ${RETENTION_DAYS} days
    timezone: ${zone}
    name: '{table}_p{YYYY}_{MM}_{DD}'
    analyze: off
http: off
`;

export const partkeeper: Contender = {
  name: 'partkeeper',
  title: 'partkeeper',
  absence: async () => undefined,
  prepare: async ({ url, zone, yields, signal }) => {
    const folder = await mkdtemp(join(tmpdir(), 'partkeeper-stall-'));
    const config = join(folder, 'partkeeper.yaml');
    await writeFile(config, configFile(zone));
    const cli = startCli(url, yields, signal);
    const close = async (): Promise<void> => {
      await cli.kill();
      await rm(folder, { recursive: true, force: true });
    };
    const apply = ['apply', '--config', config, '--target', 'bench.events', '--json'];
    try {
      succeeded(await cli.run(['migrate', 'up', '--no-bundled', '--config', config]));
      // A service has run before: code is loaded and compiled. There is nothing to do yet.
      succeeded(await cli.run(apply));
    } catch (error) {
      await close();
      throw error;
    }
    return { pass: async () => noteOf(await cli.run(apply)), close };
  },
};

function succeeded({ exitCode, out, error }: CliAnswer): void {
  if (exitCode !== 0) throw new Error(`partkeeper ended with ${exitCode}: ${error || out}`);
}

interface ApplyDocument {
  readonly error?: { readonly code: string };
  readonly runs?: readonly {
    readonly error?: { readonly code: string };
    readonly skips: readonly { readonly job: string; readonly reason: string }[];
    readonly findings: readonly { readonly code: string; readonly severity: string }[];
  }[];
}

/** The codes of what went wrong or was put off; those say more than the figures do. */
function noteOf({ out, error }: CliAnswer): string | undefined {
  if (out === '') return error.split('\n')[0];
  const { error: whole, runs = [] }: ApplyDocument = JSON.parse(out);
  const codes = [
    ...(whole ? [whole.code] : []),
    ...runs.flatMap(run => [
      ...(run.error ? [run.error.code] : []),
      ...run.findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code),
      ...run.skips
        .filter(({ job, reason }) => job === 'retire' && !ORDINARY.includes(reason))
        .map(({ reason }) => reason),
    ]),
  ];
  return codes.length === 0 ? undefined : [...new Set(codes)].join(', ');
}

/** Reasons not to retire a partition that every pass has. */
const ORDINARY = ['within-retention', 'default-partition'];
