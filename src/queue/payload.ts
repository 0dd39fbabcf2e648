/** What may be asked of the queue: a configured job on a configured target, and nothing else. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { JOB_NAMES, type JobName } from '../domain/plan.ts';
import { formatRelationName, isSameRelation, parseRelationName, type RelationName } from '../domain/relation.ts';
import { formatInstant, type Instant, instantFrom } from '../domain/time.ts';
import type { Rejection } from '../report/events.ts';

/** In characters, as PostgreSQL counts them: `partkeeper.trigger()` holds its arguments against the same. */
export const MAX_CHARACTERS = { target: 300, reason: 500, requestedBy: 200 } as const;

const text = (limit: number) =>
  z
    .string()
    // A character is at most two of JavaScript's units: without this, counting those of a huge text would take long.
    .max(2 * limit)
    .refine(value => Array.from(value).length <= limit, `At most ${limit} characters.`);

/** A closed shape: a payload can name work, and can never widen a policy. */
export const payloadSchema = z.strictObject({
  job: z.enum(JOB_NAMES),
  target: text(MAX_CHARACTERS.target).min(1),
  reason: text(MAX_CHARACTERS.reason).optional(),
  requestedBy: text(MAX_CHARACTERS.requestedBy).optional(),
  /** Only from the schedule: the job's id must be the one that follows from it. */
  tick: z.iso.datetime().optional(),
});

export type Payload = z.infer<typeof payloadSchema>;

export interface Work {
  readonly job: JobName;
  readonly target: RelationName;
  readonly tick: Instant | undefined;
  readonly requestedBy: string | undefined;
  readonly reason: string | undefined;
}

/** `isConfigured` decides what may be named. */
export function readPayload(
  id: string,
  data: unknown,
  isConfigured: (job: JobName, target: RelationName) => boolean,
): Work | { readonly rejected: Rejection; readonly because: string } {
  const parsed = payloadSchema.safeParse(data);
  if (!parsed.success) return { rejected: 'payload_invalid', because: z.prettifyError(parsed.error) };
  const { job, reason, requestedBy, tick: tickText } = parsed.data;
  const target = parseRelationName(parsed.data.target);
  if ('problem' in target) return { rejected: 'payload_invalid', because: target.problem };
  if (!isConfigured(job, target))
    return { rejected: 'unknown_target', because: `${formatRelationName(target)} is not configured for ${job}` };
  const tick = tickText === undefined ? undefined : instantFrom(tickText);
  if (tick && tickId(job, target, tick) !== id)
    return { rejected: 'forged_tick', because: 'the id does not follow from job, target and tick' };
  return { job, target, tick, requestedBy, reason };
}

/** The payload's key in the queue: of one key, at most one job is queued or active. */
export const singletonKey = (job: JobName, target: RelationName): string => `${job}/${formatRelationName(target)}`;

/** The same tick of the same schedule gets the same id on every replica; the queue takes an id once. */
export function tickId(job: JobName, target: RelationName, tick: Instant): string {
  const hash = createHash('sha256')
    .update(`${singletonKey(job, target)}/${formatInstant(tick)}`)
    .digest('hex');
  // The form of a UUID of version 8, which is for ids of one's own making.
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** Creating goes before everything else that waits. */
export const PRIORITY: { readonly [K in JobName]: number } = { provision: 30, retire: 20, refresh: 10, analyze: 0 };

export const isConfiguredIn =
  (targets: (job: JobName) => readonly RelationName[]) =>
  (job: JobName, target: RelationName): boolean =>
    targets(job).some(candidate => isSameRelation(candidate, target));
