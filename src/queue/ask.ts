/** Asking for runs on behalf of somebody who may not connect to the database: what a request may say, and what comes of it. */
import type { z } from 'zod';
import { asMaintenanceError, type ErrorCode, MaintenanceError } from '../domain/errors.ts';
import type { Runner } from '../run-job.ts';
import { readTriggered, TRIGGER_SQL, type Triggered, triggerParameters } from './client.ts';
import { MAX_CHARACTERS, payloadSchema } from './payload.ts';

/** As {@link payloadSchema}, but all targets of the job where none is named, and no tick: those come from schedules alone. */
export const requestSchema = payloadSchema.omit({ tick: true }).partial({ target: true });

/**
 * `via` says how and from where the request came; what it says itself of who asks is put after that.
 *
 * @throws MaintenanceError USAGE where the request asks for what is not to be had, RELATION_MISSING before the queue is
 * installed, else as reading does
 */
export async function askQueue(
  { database }: Pick<Runner, 'database'>,
  request: unknown,
  via: string,
): Promise<readonly Triggered[]> {
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success)
    throw new MaintenanceError('USAGE', `the request cannot be understood: ${problemsOf(parsed.error)}`, {
      hint: 'Send { "job": …, "target": …, "reason": …, "requestedBy": … }; only job is required.',
    });
  const requestedBy = signedBy(via, parsed.data.requestedBy);
  try {
    const rows = await database.read(session =>
      session.query(TRIGGER_SQL, triggerParameters({ ...parsed.data, requestedBy }), 'ask the queue for a run'),
    );
    return readTriggered(rows);
  } catch (thrown) {
    throw asAnswer(asMaintenanceError(thrown));
  }
}

const problemsOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ');

/** What is asserted is last, so that it cannot pass for what is known. */
function signedBy(via: string, asserted: string | undefined): string {
  const whole = asserted === undefined ? via : `${via}, for ${asserted}`;
  return Array.from(whole.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' '))
    .slice(0, MAX_CHARACTERS.requestedBy)
    .join('');
}

/** SQLSTATE → what it means here. */
const MEANINGS: Readonly<Record<string, ErrorCode>> = {
  // Not configured as far as the service knows, or too long.
  '22023': 'USAGE',
  '22001': 'USAGE',
  '42883': 'RELATION_MISSING',
};

const asAnswer = (error: MaintenanceError): MaintenanceError => {
  const { message, sqlstate, hint } = error;
  const code = MEANINGS[sqlstate ?? ''];
  return code === undefined ? error : new MaintenanceError(code, message, { cause: error, sqlstate, hint });
};
