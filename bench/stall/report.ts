/** The measurements as tables for people: contenders side by side, every figure next to the same run's control. */
import type { Contender } from './contenders/contender.ts';
import { CONTROL } from './contenders/control.ts';
import { type Figures, median } from './latency.ts';
import type { Busyness } from './machine.ts';
import type { Measurement } from './measure.ts';
import { describeScenario, type Scenario } from './scenarios.ts';

export interface Report {
  readonly machine: string;
  readonly server: string;
  readonly date: string;
  readonly busyness: Busyness | undefined;
  /** Before all else that the machine does. */
  readonly goesFirst: boolean;
  /** Tools with a process of their own leave the processors to server and load. */
  readonly yields: boolean;
  readonly runs: number;
  readonly scenarios: readonly Scenario[];
  /** The control first. */
  readonly contenders: readonly Contender[];
  readonly absent: readonly { readonly title: string; readonly because: string }[];
  readonly measurements: readonly Measurement[];
}

type Figure = (measurement: Measurement) => number;

const LONGEST: Figure = ({ inserts }) => inserts.longestMs;
const P99: Figure = ({ inserts }) => inserts.p99Ms;

export function reportText(report: Report): string {
  const { machine, server, date, busyness, goesFirst, yields, runs, absent } = report;
  return [
    '# Inserts while partitions are created and retired',
    '',
    '<!-- Written by `npm run bench:stall -- --output …`; what the words mean is in bench/README.md. -->',
    '',
    `- ${date}, ${runs === 1 ? 'one run' : `medians of ${runs} runs (least – most)`}`,
    `- ${machine}`,
    `- ${server}`,
    ...(busyness
      ? [
          `- processors ${percent(busyness.busy)} busy meanwhile, all work of this machine included; ${percent(busyness.stolen)} taken by the host`,
        ]
      : []),
    ...(goesFirst ? ['- server, load and tools ran with real-time priority, before all else on the machine'] : []),
    ...(yields ? ["- tools' own processes left the processors to server and load, as if they ran elsewhere"] : []),
    ...absent.map(({ title, because }) => `- **${title} is not in the tables**: ${because}`),
    '',
    'An entry is the ratio to the no-op control of the same run, and the milliseconds. ❌: the work was not done.',
    '',
    '## Longest insert',
    '',
    ...sideBySide(report, LONGEST),
    '',
    '## 99th percentile of inserts',
    '',
    ...sideBySide(report, P99),
    '',
    '## In detail',
    '',
    ...details(report),
    '',
  ].join('\n');
}

function sideBySide(report: Report, figure: Figure): readonly string[] {
  const rows = report.scenarios.map(scenario => [
    describeScenario(scenario),
    ...report.contenders.map(({ name }) => {
      const found = of(report, scenario, name);
      const ms = spread(found.map(figure), milliseconds);
      if (name === CONTROL) return ms;
      const undone = found.every(({ isDone }) => isDone) ? '' : ' ❌';
      return `**×${spread(ratios(report, found, figure), ratio)}**, ${ms}${undone}`;
    }),
  ]);
  return table(['scenario', ...report.contenders.map(({ title }) => title)], rows);
}

function details(report: Report): readonly string[] {
  const rows = report.scenarios.flatMap(scenario =>
    report.contenders.map(({ name, title }) => {
      const found = of(report, scenario, name);
      const all = (of: Figure, format = milliseconds): string => spread(found.map(of), format);
      return [
        scenario.name,
        title,
        name === CONTROL ? '–' : doneText(found),
        name === CONTROL ? '–' : all(({ workMs }) => workMs),
        name === CONTROL ? '–' : all(({ passes }) => passes, String),
        all(({ inserts }) => inserts.p50Ms),
        all(({ before }) => before.longestMs),
        all(({ pausedMs }) => pausedMs),
        all(({ reads }) => reads.p99Ms),
        all(({ reads }) => reads.longestMs),
        failures(found),
        [...new Set(found.flatMap(({ note }) => note ?? []))].map(escapeCell).join('<br>'),
      ];
    }),
  );
  const heads = ['scenario', 'by', 'done', 'took', 'passes', 'median insert', 'longest before', 'load paused'];
  return table([...heads, 'p99 read', 'longest read', 'failed', 'what it said'], rows);
}

const of = ({ measurements }: Report, scenario: Scenario, contender: string): readonly Measurement[] =>
  measurements.filter(found => found.scenario === scenario.name && found.contender === contender);

function ratios({ measurements }: Report, found: readonly Measurement[], figure: Figure): readonly number[] {
  return found.map(measurement => {
    const baseline = measurements.find(
      ({ scenario, contender, run }) =>
        contender === CONTROL && scenario === measurement.scenario && run === measurement.run,
    );
    return baseline ? figure(measurement) / figure(baseline) : Number.NaN;
  });
}

function doneText(found: readonly Measurement[]): string {
  const done = found.filter(({ isDone }) => isDone).length;
  if (done === found.length) return 'yes';
  return found.length === 1 ? '**no**' : `**${done} of ${found.length}**`;
}

function failures(found: readonly Measurement[]): string {
  const errors = found.flatMap(({ insertErrors, readErrors }) => [...insertErrors, ...readErrors]);
  return errors.length === 0 ? '0' : `**${errors.length}** (${[...new Set(errors)].join(', ')})`;
}

function spread(values: readonly number[], format: (value: number) => string): string {
  const middle = format(median(values));
  if (values.length < 2) return middle;
  const [least, most] = [format(Math.min(...values)), format(Math.max(...values))];
  return least === most ? middle : `${middle} (${least}–${most})`;
}

const milliseconds = (value: number): string => `${rounded(value)} ms`;
const ratio = (value: number): string => rounded(value);
const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Three figures are more than a repetition confirms. */
function rounded(value: number): string {
  if (!Number.isFinite(value)) return '?';
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

const escapeCell = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 160);

function table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)];
}

/** For the progress, while it goes on. */
export const oneLine = ({ isDone, workMs, inserts, before, pausedMs, note }: Measurement): string => {
  const text = ({ p99Ms, longestMs }: Figures): string =>
    `p99 ${milliseconds(p99Ms)}, longest ${milliseconds(longestMs)}`;
  const what = isDone ? `done in ${milliseconds(workMs)}` : 'NOT DONE';
  return `${what}; inserts ${text(inserts)} (before: ${text(before)}; paused ${milliseconds(pausedMs)})${note === undefined ? '' : `; ${note}`}`;
};
