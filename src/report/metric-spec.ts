/** The shape of an entry in the table of metrics. */

export interface MetricSpec {
  readonly section: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Completes "moves …". */
  readonly moves: string;
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}
