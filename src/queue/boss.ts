/** pg-boss as we use it: one queue, one job per key, heartbeats, no schedules of its own. */
import type { PgBoss } from 'pg-boss';
import type { DatabaseOptions } from '../domain/database.ts';
import { MaintenanceError } from '../domain/errors.ts';
import { clientConfig } from '../postgres/database.ts';

export const QUEUE = 'partkeeper';

export interface BossOptions {
  readonly database: DatabaseOptions;
  readonly schema: string;
  /** May its tables be created or upgraded? */
  readonly migrate: boolean;
  readonly onError: (error: Error) => void;
}

/** The least that pg-boss allows. */
const HEARTBEAT_SECONDS = 10;
/** The run ends itself at its timeout; the queue gives it up a little later. */
const EXPIRE_MARGIN_SECONDS = 60;
const DAY_SECONDS = 86_400;

export async function openBoss({ database, schema, migrate, onError }: BossOptions): Promise<PgBoss> {
  // Imported late: a probe is answered before it is loaded, and most commands have no use for it.
  const { PgBoss } = await import('pg-boss');
  const { types: _ours, ...connection } = clientConfig(database);
  const boss = new PgBoss({
    ...(connection as object),
    application_name: 'partkeeper queue',
    max: 2,
    schema,
    migrate,
    // Where there is one already, that would still want the right to create schemas.
    createSchema: false,
    schedule: false,
    // `supervise.ts` looks more cheaply, and calls pg-boss when there is something to do.
    supervise: false,
    monitorIntervalSeconds: 1,
    flowIntervalSeconds: DAY_SECONDS,
    bamIntervalSeconds: 3_600,
    // Nothing is rebuilt on other people's servers without having been asked for.
    reindex: false,
    monitorVacuum: false,
  });
  // A worker's errors are handed on as plain objects.
  boss.on('error', error => onError(error instanceof Error ? error : Object.assign(new Error(), error)));
  return boss;
}

/** Creates our queue, or brings its settings up to date: createQueue leaves an existing one as it is. */
export async function prepareQueue(boss: PgBoss, runTimeoutMs: number): Promise<void> {
  const settings = {
    retryLimit: 3,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 60,
    expireInSeconds: Math.ceil(runTimeoutMs / 1000) + EXPIRE_MARGIN_SECONDS,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    retentionSeconds: 14 * DAY_SECONDS,
    deleteAfterSeconds: 7 * DAY_SECONDS,
  };
  const existing = await boss.getQueue(QUEUE);
  if (!existing) return boss.createQueue(QUEUE, { ...settings, policy: POLICY });
  if (existing.policy !== POLICY)
    throw new MaintenanceError(
      'SCHEMA_MISMATCH',
      `the queue ${QUEUE} has the policy ${existing.policy}, under which the same work could run twice at once`,
      { hint: 'Somebody else made it, and a policy cannot be changed: give partkeeper another queue.schema.' },
    );
  if (Object.entries(settings).some(([name, value]) => Reflect.get(existing, name) !== value))
    await boss.updateQueue(QUEUE, settings);
}

/** Of one key at most one job is queued or active. */
const POLICY = 'exclusive';

/** Did pg-boss refuse to start because its tables are those of another version? It has no code for that. */
export const isOutdated = (error: unknown): boolean =>
  error instanceof Error && /requires migrations|is not installed/.test(error.message);
