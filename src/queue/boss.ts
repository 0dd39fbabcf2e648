/** pg-boss as we use it: one queue, one job per key, heartbeats, no schedules of its own. */
import { PgBoss } from 'pg-boss';
import type { DatabaseOptions } from '../domain/database.ts';
import { clientConfig } from '../postgres/database.ts';

export const QUEUE = 'partkeeper';

export interface BossOptions {
  readonly database: DatabaseOptions;
  readonly schema: string;
  /** May the schema be created or upgraded? */
  readonly migrate: boolean;
  readonly onError: (error: Error) => void;
}

/** The least that pg-boss allows. */
const HEARTBEAT_SECONDS = 10;
/** The run ends itself at its timeout; the queue gives it up a little later. */
const EXPIRE_MARGIN_SECONDS = 60;
const DAY_SECONDS = 86_400;

export function openBoss({ database, schema, migrate, onError }: BossOptions): PgBoss {
  const { types: _ours, ...connection } = clientConfig(database);
  const boss = new PgBoss({
    ...(connection as object),
    application_name: 'partkeeper queue',
    max: 2,
    schema,
    migrate,
    createSchema: migrate,
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
  boss.on('error', onError);
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
  if (!existing) await boss.createQueue(QUEUE, { ...settings, policy: 'exclusive' });
  else if (existing.expireInSeconds !== settings.expireInSeconds || existing.retryLimit !== settings.retryLimit)
    await boss.updateQueue(QUEUE, settings);
}
