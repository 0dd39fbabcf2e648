/** The part of the schema that is about runs: when they come due, how the queue hands them out, how long they are on record. */
import { z } from 'zod';
import type { JobName } from '../domain/plan.ts';
import { DEFAULT_ZONE, describeDefaultSchedule } from './defaults.ts';
import { parseJitter, parseRunTimeout } from './lengths.ts';
import { parseDuration, parseLedgerRetention, parseQueueSchema } from './parsers.ts';
import { cronZone, schedule, text } from './schema-values.ts';

/** What becomes of a tick while the run before it is still going. */
export const OVERLAPS = ['skip', 'queue-one'] as const;

/** What becomes of ticks that passed while no replica was there. */
export const CATCH_UPS = ['once', 'skip'] as const;

/** By itself, because it is also held against the schedules. */
export const jitterSchema = text(parseJitter, {
  title: 'length of time',
  description:
    'By how much a run may start later than it comes due, so that not all start at once; the same on every replica. `none`: not at all. Shorter than the time from one run to the next.',
  examples: ['30s'],
}).prefault('none');

const job = (name: JobName, description: string, example: string) =>
  z
    .strictObject({
      schedule: schedule(`${description} Default: ${describeDefaultSchedule(name)}.`, example),
      timezone: cronZone(`\`${DEFAULT_ZONE}\``),
      overlap: z
        .enum(OVERLAPS)
        .default('skip')
        .describe(
          'What becomes of a run that comes due while the one before it, on the same target, is still going: `skip` leaves it out, `queue-one` lets one wait.',
        ),
      jitter: jitterSchema,
      catchUp: z
        .enum(CATCH_UPS)
        .default('once')
        .describe(
          'What becomes of runs that came due while no replica was there: `once` makes up for all of them with one, `skip` with none.',
        ),
      // Far enough to see the last run of whatever comes due at least once a month.
      catchUpWindow: text(parseDuration, {
        title: 'duration',
        description: 'What came due longer ago than this is not made up for.',
        examples: ['31 days'],
      }).prefault('31 days'),
    })
    .prefault({});

export const jobsSchema = z.strictObject({
  provision: job('provision', 'When to create partitions, for every table.', '10 0 * * *'),
  retire: job('retire', 'When to retire partitions, for every table.', '40 2 * * *'),
  refresh: job('refresh', 'When to refresh the views that name no schedule of their own.', '*/10 * * * *'),
  analyze: job('analyze', 'When to analyze the tables that name no schedule of their own.', '15 3 * * *'),
} satisfies { readonly [K in JobName]: ReturnType<typeof job> });

export const queueSchema = z.strictObject({
  schema: text(parseQueueSchema, {
    title: 'plain name',
    description: "The PostgreSQL schema that holds the queue's own tables, and nothing else.",
    examples: ['partkeeper_queue'],
  }).prefault('partkeeper_queue'),
  runTimeout: text(parseRunTimeout, {
    title: 'length of time',
    description:
      'How long one run may take before it is stopped; what it left undone goes on at its next turn. At least `statementTimeout` and `lockAttempts` times `lockTimeout`, at most 23 hours.',
    examples: ['1 hour'],
  }).prefault('1 hour'),
});

export const ledgerSchema = z.strictObject({
  retention: text(parseLedgerRetention, {
    title: 'duration',
    description: 'How long the record of runs and actions is kept: 1 month at least, or `keep forever`.',
    examples: ['1 year'],
  }).prefault('1 year'),
});
