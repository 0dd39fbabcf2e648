/** Triggers over HTTP: a door in `http`, the queue behind it, and a record of who came. */
import type { TriggersConfig } from './config/config.ts';
import { asMaintenanceError, type ErrorCode, type MaintenanceError } from './domain/errors.ts';
import type { HttpServer } from './http/listening.ts';
import { rateLimit } from './http/rate-limit.ts';
import { type Asker, type Reply, startTriggerServer, type TriggerLimits } from './http/trigger-server.ts';
import { askQueue } from './queue/ask.ts';
import type { Live } from './reload.ts';
import type { Emit } from './report/events.ts';
import type { Metrics } from './report/metrics.ts';

export interface TriggersOptions {
  readonly live: Pick<Live, 'app' | 'use'>;
  readonly emit: Emit;
  readonly metrics: Pick<Metrics, 'countRequest'>;
  /** Why nothing can be asked for now, or undefined. */
  readonly problem: () => string | undefined;
  readonly monotonicMs: () => number;
  readonly limits?: Partial<TriggerLimits>;
}

/** A hundred refusals a second are no hundred lines in the log. */
const TOLD = { atOnce: 10, perMinute: 6 };

/** @returns undefined where the configuration has none of it */
export async function startTriggers(options: TriggersOptions): Promise<HttpServer | undefined> {
  const { live, emit, metrics, problem, monotonicMs, limits } = options;
  const configured = live.app().config.triggers;
  if (!configured) return undefined;
  // The file may have another name by now; where it listens cannot change.
  const inForce = (): TriggersConfig => live.app().config.triggers ?? configured;

  const told = rateLimit(TOLD, monotonicMs);
  let untold = 0;
  const ask = async (body: unknown, { address, token }: Asker): Promise<Reply> => {
    const via = token === undefined ? `http ${address}` : `http ${address}, token ${token}`;
    const why = problem();
    if (why !== undefined) return { code: 503, body: { error: { code: 'CONNECTION_FAILED', message: why } } };
    try {
      const triggered = await live.use(({ runner }) => askQueue(runner, body, via));
      emit({
        kind: 'trigger-asked',
        via,
        runs: triggered.map(({ runId, job, target, status }) => ({ runId, job, target, status })),
      });
      return { code: 202, body: { triggered } };
    } catch (thrown) {
      const error = asMaintenanceError(thrown);
      emit({ kind: 'trigger-failed', via, error });
      return replyTo(error);
    }
  };

  const server = await startTriggerServer({
    ...configured.listen,
    tokens: () => inForce().tokens(),
    ask,
    onRequest: metrics.countRequest,
    onRefused({ code, address, because }) {
      if (told.take() > 0) {
        untold += 1;
        return;
      }
      emit({ kind: 'trigger-refused', code, address, because, untold });
      untold = 0;
    },
    monotonicMs,
    limits,
  });
  emit({ kind: 'listening', address: `${server.address}/trigger` });
  return server;
}

const CODES: Partial<Record<ErrorCode, Reply['code']>> = {
  USAGE: 400,
  CONNECTION_FAILED: 503,
  CONNECTION_LOST: 503,
  READ_ONLY: 503,
  STATEMENT_TIMEOUT: 503,
  RESOURCES_EXHAUSTED: 503,
  RELATION_MISSING: 503,
  CANCELLED: 503,
};
/** The server's "try again": what stood in the way of a run has ended meanwhile, five times. */
const TRY_AGAIN = '40001';

function replyTo({ code, message, hint, sqlstate }: MaintenanceError): Reply {
  const status = sqlstate === TRY_AGAIN ? 503 : (CODES[code] ?? 500);
  // The cause of what nobody foresaw is not for whoever can reach the port.
  const error = status === 500 ? { code, message: 'it could not be done; the log says why' } : { code, message, hint };
  return { code: status, body: { error } };
}
