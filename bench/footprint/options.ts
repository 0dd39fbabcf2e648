/** The command line of the bench. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly starts: number;
  /** How long an idle service is watched. */
  readonly seconds: number;
  /** Leave the table of 10,000 partitions out. */
  readonly few: boolean;
  /** Minutes of the accelerated soak, instead of everything else. */
  readonly soakMinutes: number | undefined;
  /** Measure a plain start, without what the container adds. */
  readonly plain: boolean;
}

export const HELP = `npm run bench:footprint -- [options]

What one service costs its machine, started from dist/ (npm run build) on an embedded server with the bundled schema: how long until
/livez and /readyz answer, what it holds and computes while idle, and the same beside a table of 10,000 partitions. Linux only.
Exits with 1 when a limit is broken.

  --starts N       start it so many times (default 7; the least time counts, the median is shown)
  --seconds N      watch it idle for so long (default 60)
  --few            leave the table of 10,000 partitions out
  --plain          without the options of node and the compile cache that the container adds
  --soak MINUTES   instead: every job's schedule each second, a view refreshed, a partition made and dropped each second; prints
                   what it holds every minute, and fails when that grows after the first third
  --help
`;

/** @returns undefined when help was asked for; throws on what it does not understand */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      starts: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '60' },
      few: { type: 'boolean', default: false },
      plain: { type: 'boolean', default: false },
      soak: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    starts: wholeNumber('--starts', values.starts, 1),
    seconds: wholeNumber('--seconds', values.seconds, 1),
    few: values.few,
    plain: values.plain,
    // Less shows no slope: a third is for warming up.
    soakMinutes: values.soak === undefined ? undefined : wholeNumber('--soak', values.soak, 3),
  };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`${flag} ${text}: write a whole number, at least ${least}`);
  return number;
}
