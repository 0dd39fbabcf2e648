/** The reference of the metrics, written from their table. */
import { LABEL_VALUES } from './label-values.ts';
import { metricNames } from './metric-registry.ts';
import type { MetricSpec } from './metric-spec.ts';
import { METRICS } from './metric-table.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

const row = (name: string, { type, labels, help, moves, buckets }: MetricSpec): string => {
  const labelList = labels.length === 0 ? '—' : labels.map(label => `\`${label}\``).join(', ');
  const meaning = buckets === undefined ? help : `${help} Buckets: ${buckets.join(', ')}.`;
  return `| \`${name}\` | ${type} | ${labelList} | ${cell(meaning)} | ${cell(moves)} |`;
};

/** The whole of `docs/metrics.md`. */
export function metricsReference(): string {
  const specs = metricNames().map((name): readonly [string, MetricSpec] => [name, METRICS[name]]);
  const sections = [...new Set(specs.map(([, { section }]) => section))];
  return [
    '# Metrics',
    '',
    'Served at `/metrics` in the Prometheus text format. A scrape never queries the database: values change when something',
    'happens, as the last column says.',
    '',
    '- `target` is a configured relation, spelled as in the configuration; `operation` is a job (`job` belongs to Prometheus).',
    '- Times are Unix timestamps rather than ages, so `time() - x` stays true when partkeeper hangs.',
    '- Counters of known targets start at 0. The state of tables and views is absent until it was read for the first time.',
    '- No label ever carries a partition: the number of series depends on the configuration alone.',
    '- Metrics of the process and of Node (`process_*`, `nodejs_*`) come with it, under their usual names.',
    '',
    '## Labels with a closed set of values',
    '',
    '| label | values |',
    '|---|---|',
    ...Object.entries(LABEL_VALUES).map(([label, values]) => `| \`${label}\` | ${values.join(', ')} |`),
    ...specs.flatMap(([name, { values = {} }]) =>
      Object.entries(values).map(([label, set]) => `| \`${label}\` of \`${name}\` | ${set.join(', ')} |`),
    ),
    ...sections.flatMap(section => [
      '',
      `## ${section}`,
      '',
      '| name | type | labels | meaning | moves |',
      '|---|---|---|---|---|',
      ...specs.filter(([, spec]) => spec.section === section).map(([name, spec]) => row(name, spec)),
    ]),
    '',
  ].join('\n');
}
