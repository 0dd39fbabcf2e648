/** The table of metrics, come alive: the only file that knows prom-client, so that its successor could take over. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LabelValue } from './label-values.ts';
import type { MetricSpec } from './metric-spec.ts';
import { METRICS, type MetricName } from './metric-table.ts';

type Table = typeof METRICS;
type NameOf<Type extends MetricSpec['type']> = {
  readonly [K in MetricName]: Table[K]['type'] extends Type ? K : never;
}[MetricName];
/** Every label of the metric, none forgotten and none invented. */
type LabelsOf<K extends MetricName> = { readonly [L in Table[K]['labels'][number]]: ValueOf<Table[K], L> };
type ValueOf<Spec, L extends string> = Spec extends { readonly values: { readonly [K in L]: readonly (infer V)[] } }
  ? V
  : LabelValue<L>;

export type SeriesLabels = Readonly<Partial<Record<string, string | number>>>;

export interface Meters {
  set<K extends NameOf<'gauge'>>(name: K, labels: LabelsOf<K>, value: number): void;
  /** `by` is 1 unless given; 0 makes the series exist, so that the first increase is visible as one. */
  add<K extends NameOf<'gauge' | 'counter'>>(name: K, labels: LabelsOf<K>, by?: number): void;
  observe<K extends NameOf<'histogram'>>(name: K, labels: LabelsOf<K>, value: number): void;
  /** Makes an empty series of a histogram exist. */
  expect<K extends NameOf<'histogram'>>(name: K, labels: LabelsOf<K>): void;
  /** Forgets all series of a gauge, for one whose labels carry the value. */
  forget(name: NameOf<'gauge'>): void;
  /** Forgets every series for whose labels this is true, and takes no value for one, until it is called again. */
  forgetWhere(isGone: (labels: SeriesLabels) => boolean): void;
  readonly contentType: string;
  /** Prometheus' text format 0.0.4. */
  readonly render: () => Promise<string>;
  readonly registry: Registry;
}

// prom-client's own 10 ms wake an idle process a hundred times a second: half of all the processor time that it needs.
const LAG_PRECISION_MS = 100;

/** A registry of its own with all metrics of the table, and prom-client's own about process and runtime. */
export function createMeters(): Meters {
  const registry = new Registry();
  const gauges = new Map<MetricName, Gauge>();
  const counters = new Map<MetricName, Counter>();
  const histograms = new Map<MetricName, Histogram>();

  const create: { readonly [K in MetricSpec['type']]: (name: MetricName, spec: MetricSpec) => void } = {
    gauge: (name, { help, labels }) =>
      gauges.set(name, new Gauge({ name, help, labelNames: labels, registers: [registry] })),
    counter: (name, { help, labels }) =>
      counters.set(name, new Counter({ name, help, labelNames: labels, registers: [registry] })),
    histogram: (name, { help, labels, buckets = [] }) =>
      histograms.set(
        name,
        new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] }),
      ),
  };
  for (const name of metricNames()) create[METRICS[name].type](name, METRICS[name]);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });

  let isGone: (labels: SeriesLabels) => boolean = () => false;
  // prom-client tells what series there are by a promise, though it reads memory only.
  let forgetting: Promise<unknown> = Promise.resolve();
  const forgetGone = async (metric: Gauge | Counter): Promise<void> => {
    for (const { labels } of (await metric.get()).values) if (isGone(labels)) metric.remove(labels);
  };

  return {
    set: (name, labels, value) => isGone(labels) || gauges.get(name)?.set(labels, value),
    add: (name, labels, by = 1) => isGone(labels) || (gauges.get(name) ?? counters.get(name))?.inc(labels, by),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    expect: (name, labels) => histograms.get(name)?.zero(labels),
    forget: name => gauges.get(name)?.reset(),
    forgetWhere(isGoneNow) {
      isGone = isGoneNow;
      forgetting = Promise.all([...gauges.values(), ...counters.values()].map(forgetGone));
    },
    contentType: registry.contentType,
    async render() {
      await forgetting;
      return registry.metrics();
    },
    registry,
  };
}

const isMetricName = (name: string): name is MetricName => Object.hasOwn(METRICS, name);
export const metricNames = (): readonly MetricName[] => Object.keys(METRICS).filter(isMetricName);
