/** The command line of the bench. */
import { parseArgs } from 'node:util';
import type { Contender } from './contenders/contender.ts';
import { control } from './contenders/control.ts';
import { handWritten } from './contenders/hand-written.ts';
import { partkeeper } from './contenders/partkeeper.ts';
import { pgPartman } from './contenders/pg-partman.ts';
import { isRealTime } from './machine.ts';
import { describeScenario, SCENARIOS, type Scenario } from './scenarios.ts';
import type { ServerChoice } from './server.ts';

/** The control is no choice: without it there are no ratios. */
export const CONTENDERS: readonly Contender[] = [handWritten, pgPartman, partkeeper];

export interface Options {
  readonly runs: number;
  readonly scenarios: readonly Scenario[];
  readonly contenders: readonly Contender[];
  readonly server: ServerChoice;
  /** Do the tools' own processes leave the processors to server and load? */
  readonly yields: boolean;
  readonly json: boolean;
  /** A file for the report, besides what is printed. */
  readonly output: string | undefined;
}

export const HELP = `npm run bench:stall -- [options]

How long inserts wait while partitions are created and retired: 4 writers at 1,000 inserts a second in total, 2 readers at 50
queries a second, and partkeeper, pg_partman and hand-written SQL doing the same work beside them, each next to a no-op control.

  --runs N            repeat everything N times; the report has medians with least and most (default 1)
  --scenario NAME     only this one; may be repeated (default: all)
  --contender NAME    only this one, beside the control; may be repeated (default: all)
  --server debian|embedded   default: Debian's PostgreSQL where it has pg_partman, else the one from npm
  --server-url URL    a server that runs already; databases named partkeeper_stall_… are made there and dropped
  --yield             tools with a process of their own leave the processors to server and load, as if they ran on
                      another machine; start the bench with: chrt --rr 2
  --json              print the figures as JSON instead of a report
  --output FILE       write the report to this file as well
  --help

Contenders: ${CONTENDERS.map(({ name }) => name).join(', ')}

Scenarios:
${SCENARIOS.map(scenario => `  ${scenario.name.padEnd(23)} ${describeScenario(scenario)}`).join('\n')}
`;

/** @returns undefined when help was asked for; throws on what it does not understand */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '1' },
      scenario: { type: 'string', multiple: true, default: [] },
      contender: { type: 'string', multiple: true, default: [] },
      server: { type: 'string', default: 'auto' },
      'server-url': { type: 'string' },
      yield: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const runs = Number(values.runs);
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new Error(`--runs ${values.runs}: write a whole number, at least 1`);
  const chosen = choose('--contender', CONTENDERS, values.contender);
  return {
    runs,
    scenarios: choose('--scenario', SCENARIOS, values.scenario),
    contenders: [control, ...chosen],
    server: serverOf(values.server, values['server-url']),
    yields: mayYield(values.yield),
    json: values.json,
    output: values.output,
  };
}

function choose<T extends { readonly name: string }>(
  flag: string,
  known: readonly T[],
  wanted: readonly string[],
): readonly T[] {
  const unknown = wanted.find(name => known.every(candidate => candidate.name !== name));
  if (unknown !== undefined)
    throw new Error(`${flag} ${unknown} is not known; there are ${known.map(({ name }) => name).join(', ')}`);
  return wanted.length === 0 ? known : known.filter(({ name }) => wanted.includes(name));
}

function mayYield(wanted: boolean): boolean {
  if (wanted && !isRealTime())
    throw new Error('--yield: server and load have no real-time priority; start the bench with: chrt --rr 2');
  return wanted;
}

function serverOf(kind: string, url: string | undefined): ServerChoice {
  if (url !== undefined) return { kind: 'url', url };
  if (kind === 'debian' || kind === 'embedded' || kind === 'auto') return { kind };
  throw new Error(`--server ${kind}: write debian or embedded`);
}
