/** The metrics of retention: what is past it, what became of it, and what keeps it from being applied. */
import { AT_FACTS, type MetricSpec } from './metric-spec.ts';
import { OPEN_RETIREMENTS, SAFETY_STOPS } from './retirement-figures.ts';

const RETENTION = 'Retention';

export const RETENTION_METRICS = {
  partkeeper_retention_policy_seconds: {
    section: RETENTION,
    type: 'gauge',
    labels: ['target'],
    help: 'Configured retention, counted back from now; 0 means keep for ever.',
    moves: AT_FACTS,
  },
  partkeeper_retention_oldest_partition_end_timestamp_seconds: {
    section: RETENTION,
    type: 'gauge',
    labels: ['target'],
    help: 'Upper bound of the oldest partition that retention applies to; 0 if there is none.',
    moves: AT_FACTS,
  },
  partkeeper_retention_lag_seconds: {
    section: RETENTION,
    type: 'gauge',
    labels: ['target'],
    help: 'How long the oldest expired partition has been past the retention cutoff; 0 if none is.',
    moves: AT_FACTS,
  },
  partkeeper_retention_expired_bytes: {
    section: RETENTION,
    type: 'gauge',
    labels: ['target'],
    help: "Size of the partitions that are past their retention and still attached, by the catalog's page counts.",
    moves: AT_FACTS,
  },
  partkeeper_retention_safety_stops_total: {
    section: RETENTION,
    type: 'counter',
    labels: ['target', 'reason'],
    values: { reason: SAFETY_STOPS },
    help: 'Runs of retire that a guard kept from retiring something, by guard.',
    moves: 'at the end of each such run',
  },
  partkeeper_retirements: {
    section: RETENTION,
    type: 'gauge',
    labels: ['target', 'state'],
    values: { state: OPEN_RETIREMENTS },
    help: 'Partitions on their way out, as the ledger has them; absent without a ledger. detached ones wait to be dropped, kept ones stay.',
    moves: AT_FACTS,
  },
  partkeeper_retirement_size_bytes: {
    section: RETENTION,
    type: 'gauge',
    labels: ['target'],
    help: "Size of the tables that were detached and are still there, by the catalog's page counts.",
    moves: AT_FACTS,
  },
  partkeeper_retirement_next_drop_timestamp_seconds: {
    section: RETENTION,
    type: 'gauge',
    labels: ['target'],
    help: 'Unix time at which the grace of the first of the detached tables ends; 0 if none waits to be dropped.',
    moves: AT_FACTS,
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;
