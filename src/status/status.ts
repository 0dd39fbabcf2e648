/** The status of the service: hears every event, looks into the ledger now and then, and answers from memory. */
import type { Config } from '../config/config.ts';
import { schedulesOf } from '../config/schedules.ts';
import { asMaintenanceError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import type { Plan } from '../domain/plan.ts';
import type { Policies } from '../domain/policy.ts';
import type { RelationName } from '../domain/relation.ts';
import type { Instant } from '../domain/time.ts';
import { readRecentActions } from '../ledger/reading.ts';
import { allTargets } from '../observe.ts';
import type { Database } from '../postgres/database.ts';
import type { Emit } from '../report/events.ts';
import { VERSION } from '../version.ts';
import type { StatusDocument } from './document.ts';
import { keepStatus } from './keep.ts';
import { MAX_ACTIONS, recordedAction } from './recent-actions.ts';
import { type Intentions, planOf, type Recorded, statusDocument } from './view.ts';

export interface StatusOptions {
  /** Asked anew for each answer: it may have been replaced by a reload. */
  readonly app: () => {
    readonly config: Config;
    readonly runner: Pick<Intentions, 'policies' | 'dueSince'>;
  };
  /** Reads from the database that is looked after, in the background. */
  readonly read: Database['read'];
  /** The database's clock, as far as it is known. */
  readonly now: () => Instant;
  /** Why no work can be done, or undefined. */
  readonly problem: () => string | undefined;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Does what it is given, and tells how that went. */
  readonly collect: <T>(look: () => Promise<T>) => Promise<T>;
}

export interface Status {
  /** Has to be told of every event. */
  readonly listen: Emit;
  /** From memory: never waits, and does not ask the database. */
  readonly document: () => StatusDocument;
  /** Looks into the ledger until told to stop. */
  readonly run: (stopping: AbortSignal) => Promise<void>;
}

const LOOK_EVERY_MS = 30_000;
/** Where it cannot be read, it is asked less often: each try may be a line in the server's log. */
const LOOK_AGAIN_MS = 300_000;

export function openStatus({ app, read, now, problem, sleep, collect }: StatusOptions): Status {
  const keeper = keepStatus(now);
  let recorded: Recorded | undefined;
  let awake = new AbortController();
  let hasAsked = false;
  let reads = 0;
  let plan: { readonly facts: Facts; readonly policies: Policies; readonly of: Plan | undefined } | undefined;
  let answer: { readonly key: string; readonly document: StatusDocument } | undefined;

  const intentions = (): Intentions => {
    const { config, runner } = app();
    return { policies: runner.policies, dueSince: runner.dueSince, schedules: schedulesOf(config) };
  };

  const currentPlan = (wanted: Intentions): Plan | undefined => {
    const { facts } = keeper.kept();
    const { policies } = wanted;
    if (facts && (plan?.facts !== facts || plan.policies !== policies))
      plan = { facts, policies, of: planOf({ facts }, wanted) };
    return plan?.of;
  };

  const look = async (stopping: AbortSignal): Promise<boolean> => {
    // Without a ledger there is nothing to ask for.
    if (!keeper.kept().facts?.ledger) return true;
    const targets: readonly RelationName[] = allTargets(intentions().policies);
    hasAsked = true;
    try {
      const rows = await collect(() => read(session => readRecentActions(session, targets, MAX_ACTIONS), stopping));
      reads += 1;
      recorded = { readAt: now(), actions: rows.map(recordedAction) };
      return true;
    } catch (error) {
      // Of a database that is away, somebody else tells; the page says how old this is.
      return asMaintenanceError(error).code.startsWith('CONNECTION');
    }
  };

  return {
    listen: event => {
      keeper.emit(event);
      // What was just done is not to be missing from the page for half a minute.
      if (event.kind === 'run-finished' && event.done + event.failed + event.deferred > 0) awake.abort();
      if (event.kind === 'observed' && !hasAsked) awake.abort();
    },
    document: () => {
      const at = now();
      const key = [keeper.revision(), reads, problem(), Math.floor(at.epochMilliseconds / 1000)].join(' ');
      if (answer?.key !== key) {
        const wanted = intentions();
        const present = { now: at, version: VERSION, problem: problem(), recorded };
        answer = { key, document: statusDocument(keeper.kept(), currentPlan(wanted), wanted, present) };
      }
      return answer.document;
    },
    run: async stopping => {
      while (!stopping.aborted) {
        awake = new AbortController();
        const delayMs = (await look(stopping)) ? LOOK_EVERY_MS : LOOK_AGAIN_MS;
        await sleep(delayMs, AbortSignal.any([stopping, awake.signal])).catch(() => {});
      }
    },
  };
}
