/** What a run may take and when it may start, held against what else the file says. */
import type { z } from 'zod';
import { JOB_NAMES } from '../domain/plan.ts';
import { keysOf } from './keys.ts';
import { formatLength, LONGEST_RUN_MS } from './lengths.ts';
import { type Origins, valueAt } from './origins.ts';
import { type ConfigProblem, type Path, problemAt } from './problems.ts';
import { schedulesOfJob } from './raw-schedules.ts';
import { shortestGapMs } from './schedules.ts';
import { databaseSchema } from './schema.ts';
import { jitterSchema, queueSchema } from './schema-runs.ts';

/** The value or its default; undefined where it is wrong, which the schema says. */
const read = <T>(schema: z.ZodType<T>, value: unknown): T | undefined => schema.safeParse(value).data;

/** With more jitter than that, a run would start after the next one has come due. */
export const checkJitter = (raw: unknown, origins: Origins): readonly ConfigProblem[] =>
  JOB_NAMES.flatMap(job => {
    const at = ['jobs', job, 'jitter'];
    const jitterMs = read(jitterSchema, valueAt(raw, at));
    if (!jitterMs) return [];
    const [tightest] = schedulesOfJob(job, keysOf(raw))
      .map(schedule => ({ ...schedule, gapMs: shortestGapMs(schedule) }))
      .sort((a, b) => a.gapMs - b.gapMs);
    if (!tightest || jitterMs < tightest.gapMs) return [];
    const gap = formatLength(tightest.gapMs);
    const problem = `is not shorter than the shortest gap of schedule '${tightest.pattern}'`;
    return [problemAt(origins.placeOf(at), at, origins.about(at, problem), `write less than ${gap}`)];
  });

const RUN_TIMEOUT: Path = ['queue', 'runTimeout'];
/** What a run that is too short may be meant by, the likeliest first. */
const CULPRITS: readonly Path[] = [
  RUN_TIMEOUT,
  ['database', 'statementTimeout'],
  ['database', 'lockAttempts'],
  ['database', 'lockTimeout'],
];

/** A run that is stopped before its one action can end would be stopped for ever. */
export function checkRunTimeout(raw: unknown, origins: Origins): readonly ConfigProblem[] {
  const { database, queue } = keysOf(raw);
  const { shape } = databaseSchema;
  const keys = keysOf(database);
  const statementMs = read(shape.statementTimeout, keys.statementTimeout);
  const attempts = read(shape.lockAttempts, keys.lockAttempts);
  const lockMs = read(shape.lockTimeout, keys.lockTimeout);
  const runMs = read(queueSchema.shape.runTimeout, keysOf(queue).runTimeout);
  if (!statementMs || !attempts || !lockMs || !runMs) return [];
  const leastMs = statementMs + attempts * lockMs;
  if (runMs >= leastMs) return [];
  const at = CULPRITS.find(path => valueAt(raw, path) !== undefined) ?? RUN_TIMEOUT;
  const sum = `${formatLength(statementMs)} for a statement and ${attempts} × ${formatLength(lockMs)} for its locks`;
  const problem =
    at === RUN_TIMEOUT
      ? `is less than one action may take, ${sum}`
      : `makes one action longer than a run may take, which is ${formatLength(runMs)}: ${sum}`;
  const advice =
    leastMs <= LONGEST_RUN_MS
      ? `write ${at === RUN_TIMEOUT ? '' : 'queue.runTimeout: '}${formatLength(leastMs)} or more`
      : `let statements and locks take ${formatLength(LONGEST_RUN_MS)} together at most`;
  return [problemAt(origins.placeOf(at), at, origins.about(at, problem), advice)];
}
