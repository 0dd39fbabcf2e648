/** The shape of an entry in the table of metrics. */

export interface MetricSpec {
  readonly section: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  /** The closed sets of labels that mean something else here than in other metrics. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  readonly help: string;
  /** Completes "moves …". */
  readonly moves: string;
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

export const AT_FACTS = 'whenever facts are read';
