/** What has to be true of a target before any job may act on it. */
import type { Facts, Ownership, PartitionedTableFacts, ServerFacts } from '../domain/facts.ts';
import { type Finding, finding } from '../domain/findings.ts';
import type { ActAs, JobName, PlanPart } from '../domain/plan.ts';
import { formatRelationName, type RelationName } from '../domain/relation.ts';
import type { KeyType } from '../domain/time.ts';

/** A table that a policy of time can be applied to. */
export type TimeTable = PartitionedTableFacts & {
  readonly key: { readonly kind: 'time'; readonly column: string; readonly type: KeyType };
};

export const isTimeTable = (table: PartitionedTableFacts): table is TimeTable => table.key.kind === 'time';

const MISSING = {
  absent: [
    'does not exist',
    'Check the spelling (schema.table, quotes where needed) and the database, or create it; `partkeeper migrate up` creates the bundled schema.',
  ],
  'not-partitioned': [
    'exists, but is not a partitioned table',
    'Convert it to a table partitioned by range of time first.',
  ],
  'not-a-materialized-view': [
    'exists, but is not a materialized view',
    'List plain tables and views nowhere; they need no refresh.',
  ],
  'is-a-partition': ['is itself a partition of another table', 'Configure its topmost parent instead.'],
} as const;

/** Where partkeeper keeps its own records. */
const OWN_SCHEMA = 'partkeeper';

const unrecorded = (target: RelationName): Finding =>
  finding(
    'BOOKKEEPING_MISSING',
    target,
    `${formatRelationName(target)} is not installed: what is done is not put on record`,
    'Run `partkeeper migrate up` once, as a role that may create a schema.',
  );

/** The configured relations that are not there. */
export const planMissing = (job: JobName, target: RelationName, facts: Facts): PlanPart | undefined => {
  const entry = facts.missing.find(({ relation }) => formatRelationName(relation) === formatRelationName(target));
  if (!entry) return undefined;
  const [problem, hint] = MISSING[entry.reason];
  const skips = [{ job, target, relation: target, reason: 'missing', detail: problem }] as const;
  // Nobody has to install the ledger in order to plan, or to apply by hand.
  if (target.schema === OWN_SCHEMA && entry.reason === 'absent')
    return { actions: [], skips, findings: [unrecorded(target)] };
  return {
    actions: [],
    skips,
    findings: [
      finding(
        'TARGET_MISSING',
        target,
        `${formatRelationName(target)} ${problem} in database ${facts.server.database}`,
        hint,
      ),
    ],
  };
};

/** A table that is partitioned, but not by one column of time. */
export function planUnsupportedKey(job: JobName, { relation, key }: PartitionedTableFacts): PlanPart {
  const because = key.kind === 'unsupported' ? key.because : '';
  const message = `${formatRelationName(relation)} cannot be kept by time: ${because}`;
  const hint = 'partkeeper keeps tables partitioned by range of one timestamptz, timestamp or date column.';
  return {
    actions: [],
    skips: [{ job, target: relation, relation, reason: 'unsupported-key', detail: because }],
    findings: [finding('KEY_UNSUPPORTED', relation, message, hint)],
  };
}

/** Windows that no value of the key can tell apart: the server would be asked for empty ranges. */
export function planTooFine({ relation, key }: TimeTable): PlanPart {
  const because = `its key ${key.column} is a date, which has no hours`;
  const message = `${formatRelationName(relation)} cannot have an interval of one hour: ${because}`;
  return {
    actions: [],
    skips: [{ job: 'provision', target: relation, relation, reason: 'unsupported-key', detail: because }],
    findings: [finding('KEY_UNSUPPORTED', relation, message, 'Set interval: day, or a longer one.')],
  };
}

/** A standby, or a role that may not act as the owner: nothing can be changed, whatever the policy says. */
export function planUnchangeable(
  job: JobName,
  target: RelationName,
  ownership: Ownership,
  server: ServerFacts,
): PlanPart | undefined {
  if (server.isInRecovery || server.isReadOnly) {
    const state = server.isInRecovery ? 'a standby in recovery' : 'in read-only mode';
    // Whoever set it had a reason, such as a disk that is nearly full: it is not for us to turn off.
    const hint = server.isInRecovery
      ? 'Connect to the primary.'
      : `default_transaction_read_only is on for ${server.user}: see where, in "source" of pg_settings, and reset it for the role, the database or the server.`;
    return refuse(job, target, 'read-only', 'READ_ONLY', `the server of database ${server.database} is ${state}`, hint);
  }
  if (ownership.relation === 'none' && !server.isSuperuser) {
    const message = `${formatRelationName(target)} belongs to ${ownership.owner}, and ${server.user} may not act as ${ownership.owner}`;
    return refuse(
      job,
      target,
      'not-owner',
      'NOT_OWNER',
      message,
      `Run as an administrator: grant "${ownership.owner}" to "${server.user}"`,
    );
  }
  return undefined;
}

const refuse = (
  job: JobName,
  target: RelationName,
  reason: 'read-only' | 'not-owner',
  code: 'READ_ONLY' | 'NOT_OWNER',
  message: string,
  hint: string,
): PlanPart => ({
  actions: [],
  skips: [{ job, target, relation: target, reason, detail: message }],
  findings: [finding(code, target, message, hint)],
});

export const actAs = ({ owner, relation }: Ownership, server: ServerFacts): ActAs => {
  if (relation === 'self') return { owner, how: 'self' };
  return { owner, how: server.isSuperuser ? 'superuser' : 'set-role' };
};
