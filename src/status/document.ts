/** What `/api/status` answers and the page shows: one plain value. `docs/status.schema.json` is its print. */
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts';
import { FINDINGS, SEVERITIES } from '../domain/findings.ts';
import { INTERVALS } from '../domain/interval.ts';
import { JOB_NAMES } from '../domain/plan.ts';
import { DEFAULT_POLICIES, RETIREMENTS } from '../domain/policy.ts';
import { RETIREMENT_STATES } from '../domain/retirement.ts';
import { KEY_TYPES } from '../domain/time.ts';
import { OUTCOMES } from '../report/events.ts';
import { PARTITION_STATES } from '../report/partition-state.ts';

const object = z.strictObject;
const count = z.int().min(0);
const moment = z.string().describe('An instant in ISO 8601, in UTC.');
const name = z.string().describe('`schema.relation`, quoted only where PostgreSQL needs it.');
const bound = z
  .string()
  .nullable()
  .describe('In ISO 8601; without a zone where the key has none. Null: unbounded, or not readable.');
const sentence = z.string().describe('For people, passwords masked.');

/** How a view's data stand to its schedule. */
export const FRESHNESS = [
  'fresh',
  'unchanged',
  'due',
  'overdue',
  'unscheduled',
  'blocked',
  'missing',
  'unknown',
] as const;

const partition = object({
  name,
  state: z.enum(PARTITION_STATES),
  from: bound,
  to: bound,
  bytes: count.describe('An estimate, with indexes and TOAST.'),
  rows: count.nullable().describe('An estimate; null until the first ANALYZE or VACUUM.'),
});

const retirement = object({
  name,
  state: z.enum(RETIREMENT_STATES),
  from: bound,
  to: bound,
  intendedAt: moment,
  dropAfter: moment.nullable().describe('When its grace is over.'),
  bytes: count.nullable().describe('Null where the table is gone.'),
});

const table = object({
  name,
  problem: sentence.nullable().describe('Why nothing is known of its partitions, where that is so.'),
  policy: object({
    interval: z.enum(INTERVALS),
    premake: count,
    retention: z.string().describe('Such as `90 days`, or `forever`.'),
    retire: z.enum(RETIREMENTS),
    grace: z.string().nullable(),
    defaultPartition: z.enum(DEFAULT_POLICIES),
    timezone: z.string(),
  }),
  key: object({ column: z.string(), type: z.enum(KEY_TYPES) }).nullable(),
  now: bound.describe('The present on the line on which the bounds lie.'),
  cutoff: bound.describe(
    'The retention line on the same line: what ends at or before it is expired. Null: kept for ever.',
  ),
  coveredUntil: z
    .string()
    .nullable()
    .describe('Rows find a partition until then; `unbounded`, or null where they do not even now.'),
  bytes: count,
  rows: count.describe('An estimate, without partitions that were never analyzed.'),
  partitions: z.array(partition).describe('Oldest first; those without a place in time at the end.'),
  gaps: z.array(object({ from: bound, to: bound })).describe('Where no partition lies.'),
  planned: z.array(object({ name, from: bound, to: bound })).describe('Partitions that the plan creates.'),
  retirements: z.array(retirement).describe('Those that are not over.'),
});

const schedule = object({ pattern: z.string(), timezone: z.string() });

const view = object({
  name,
  freshness: z
    .enum(FRESHNESS)
    .describe(
      '`fresh`: refreshed since its last tick. `unchanged`: it need not be, nothing that it reads has changed. `due`: a tick has passed. `overdue`: more than one has. `blocked`: it cannot be refreshed as the policy says. `unknown`: it has not been looked at yet.',
    ),
  why: sentence,
  refreshedAt: moment.nullable().describe('The last refresh on record.'),
  dueSince: moment.nullable().describe('The last tick of its schedule.'),
  next: moment.nullable(),
  schedule: schedule.nullable(),
  isPopulated: z.boolean(),
  isConcurrent: z.boolean().describe('Has it an index that a concurrent refresh can use?'),
  bytes: count,
});

const job = object({
  job: z.enum(JOB_NAMES),
  target: name,
  schedule: schedule.nullable(),
  next: moment.nullable().describe('Its next tick; null where it runs when asked for only.'),
  runningSince: moment.nullable().describe('Of a run in this process.'),
  lastFinished: moment.nullable(),
  lastOutcome: z.enum([...OUTCOMES, 'interrupted']).nullable(),
  lastSuccess: moment.nullable(),
  lastDurationMs: z.number().nullable(),
  consecutiveFailures: count,
  error: object({ code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode]), message: sentence, hint: sentence.nullable() })
    .nullable()
    .describe('Of the last run, where this process ran it and it failed.'),
  paused: object({ by: z.string().nullable(), reason: z.string().nullable(), since: moment.nullable() }).nullable(),
});

const findingShape = object({
  severity: z.enum(SEVERITIES),
  code: z.enum(Object.keys(FINDINGS) as [keyof typeof FINDINGS]),
  target: name,
  message: sentence,
  hint: sentence.describe('What to do.'),
});

const recentAction = object({
  at: moment,
  target: name,
  relation: name,
  kind: z.string(),
  why: sentence,
  outcome: z.string().describe('`done`, `already-done`, `failed`, `deferred`, `abandoned`, `intended`.'),
  durationMs: z.number().nullable(),
  rows: count.nullable(),
  bytes: count.nullable(),
  error: sentence.nullable(),
});

const plan = object({
  at: moment.describe('The moment of the facts that it follows from.'),
  actions: z.array(
    object({
      job: z.enum(JOB_NAMES),
      target: name,
      relation: name,
      kind: z.string(),
      headline: sentence,
      why: sentence,
      sql: z.array(z.string()),
    }),
  ),
  leftAlone: z
    .array(object({ job: z.enum(JOB_NAMES), target: name, reason: z.string(), explanation: sentence, count }))
    .describe('What was considered and is left alone, by reason.'),
});

export const statusSchema = object({
  version: z.string().describe('Of partkeeper.'),
  now: moment.describe("The database's clock, as far as it is known."),
  ready: z.boolean(),
  notReadyBecause: sentence.nullable(),
  database: object({ name: z.string(), version: z.string().describe("The server's."), user: z.string() }).nullable(),
  readAt: moment.nullable().describe('Nothing here is older, but what says so itself; null before the first look.'),
  ageSeconds: z.number().min(0).nullable(),
  notReadBecause: sentence.nullable().describe('Why nothing newer could be read.'),
  tables: z.array(table),
  views: z.array(view),
  jobs: z.array(job),
  findings: z.array(findingShape).describe('What a person should know of, the worst first.'),
  plan: plan.nullable().describe('What would be done now; null before the first look.'),
  recent: object({
    source: z.enum(['ledger', 'this-process']).describe('The ledger knows of every replica.'),
    readAt: moment.nullable(),
    actions: z.array(recentAction).describe('Newest first, at most 50.'),
  }),
}).meta({
  title: 'The answer of GET /api/status of partkeeper',
  description: 'Everything that the status page shows. Sizes and row counts are estimates of the catalog.',
});

export type StatusDocument = z.infer<typeof statusSchema>;
export type TableStatus = StatusDocument['tables'][number];
export type PartitionStatus = TableStatus['partitions'][number];
export type ViewStatus = StatusDocument['views'][number];
export type JobStatus = StatusDocument['jobs'][number];
export type FindingStatus = StatusDocument['findings'][number];
export type PlanStatus = NonNullable<StatusDocument['plan']>;
export type RecentAction = StatusDocument['recent']['actions'][number];

/** The JSON Schema (draft 2020-12) of `/api/status`. */
export const statusJsonSchema = (): object => z.toJSONSchema(statusSchema);
