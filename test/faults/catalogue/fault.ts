/** What a fault of the catalogue says about itself. `docs/faults.md` is made of it. */
import type { ErrorCode } from '../../../src/domain/errors.ts';
import type { FindingCode } from '../../../src/domain/findings.ts';
import type { SkipReason } from '../../../src/domain/plan.ts';
import type { MetricName } from '../../../src/report/metric-table.ts';

/** Where an operator sees it, by names that the compiler or a test knows to exist. */
export type Sign =
  | { readonly kind: 'error'; readonly name: ErrorCode }
  | { readonly kind: 'finding'; readonly name: FindingCode }
  | { readonly kind: 'skip'; readonly name: SkipReason }
  | { readonly kind: 'metric'; readonly name: MetricName; readonly means: string }
  /** The `msg` of a log line. */
  | { readonly kind: 'log'; readonly name: string };

export const error = (name: ErrorCode): Sign => ({ kind: 'error', name });
export const found = (name: FindingCode): Sign => ({ kind: 'finding', name });
export const skipped = (name: SkipReason): Sign => ({ kind: 'skip', name });
export const metric = (name: MetricName, means: string): Sign => ({ kind: 'metric', name, means });
export const log = (name: string): Sign => ({ kind: 'log', name });

export type FaultNumber = `F${number}${number}`;

interface Described {
  readonly title: string;
  readonly happens: string;
  readonly holds: string;
  readonly seen: readonly Sign[];
}

export type Fault = Described &
  (
    | {
        /** Below `test/`; each has a test whose title begins with the number. */
        readonly tests: readonly string[];
        /** What of it is left untested, and why. */
        readonly untested?: string;
      }
    | { readonly tests?: never; readonly untested: string }
  );
