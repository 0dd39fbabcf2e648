import { describe, expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode, MaintenanceError, retryOf } from '../../../src/domain/errors.ts';
import { type RetryOptions, withRetries } from '../../../src/executor/retry.ts';

interface Rehearsal {
  readonly options: RetryOptions;
  readonly slept: number[];
  readonly retried: string[];
  readonly stop: AbortController;
}

/** No test waits: `sleep` notes how long it would have been. */
function rehearse(over: Partial<RetryOptions> = {}): Rehearsal {
  const stop = new AbortController();
  const slept: number[] = [];
  const retried: string[] = [];
  const options: RetryOptions = {
    attempts: 4,
    sleep: ms => {
      slept.push(ms);
      return Promise.resolve();
    },
    random: () => 0,
    signal: stop.signal,
    onRetry: (attempt, delayMs, error) => retried.push(`${attempt}: ${error.code}, wait ${delayMs}`),
    ...over,
  };
  return { options, slept, retried, stop };
}

const locked = new MaintenanceError('LOCK_UNAVAILABLE', 'the lock was not to be had');

/** Fails as often as told, then succeeds. */
const failing = (times: number, error: unknown = locked) => {
  const tries: number[] = [];
  const work = (attempt: number): Promise<string> => {
    tries.push(attempt);
    return tries.length > times ? Promise.resolve('done') : Promise.reject(error);
  };
  return { tries, work };
};

describe('work that fails for want of a lock', () => {
  test('is not repeated when it succeeds at once', async () => {
    const { options, slept, retried } = rehearse();
    const { tries, work } = failing(0);
    await expect(withRetries(options, work)).resolves.toEqual({ value: 'done', attempts: 1 });
    expect({ tries, slept, retried }).toEqual({ tries: [1], slept: [], retried: [] });
  });

  test('is repeated until it succeeds, with longer and longer pauses', async () => {
    const { options, slept, retried } = rehearse();
    const { tries, work } = failing(3);
    await expect(withRetries(options, work)).resolves.toEqual({ value: 'done', attempts: 4 });
    expect(tries).toEqual([1, 2, 3, 4]);
    expect(slept).toEqual([150, 300, 600]);
    expect(retried).toEqual([
      '1: LOCK_UNAVAILABLE, wait 150',
      '2: LOCK_UNAVAILABLE, wait 300',
      '3: LOCK_UNAVAILABLE, wait 600',
    ]);
  });

  test.each([0, 1, 2, 5])('is given up with its own error when %i attempts are allowed', async attempts => {
    const { options, slept } = rehearse({ attempts });
    const { tries, work } = failing(Number.POSITIVE_INFINITY);
    await expect(withRetries(options, work)).rejects.toBe(locked);
    expect(tries.length).toBe(Math.max(1, attempts));
    expect(slept.length).toBe(Math.max(1, attempts) - 1);
  });

  test.each([
    [0, [150, 300, 600, 1200, 2400, 4800, 9600, 15_000, 15_000]],
    [0.5, [225, 450, 900, 1800, 3600, 7200, 14_400, 22_500, 22_500]],
  ])('pauses, when chance says %d, for the same times each time', async (random, expected) => {
    const { options, slept } = rehearse({ attempts: 10, random: () => random });
    await expect(withRetries(options, failing(Number.POSITIVE_INFINITY).work)).rejects.toBe(locked);
    expect(slept).toEqual(expected);
  });
});

describe('whether it is repeated', () => {
  test.each(Object.keys(ERROR_CODES) as ErrorCode[])('after %s is decided by the code alone', async code => {
    const error = new MaintenanceError(code, 'no');
    const { options } = rehearse();
    const { tries, work } = failing(1, error);
    const repeated = retryOf(code) === 'same-run';
    if (repeated) await expect(withRetries(options, work)).resolves.toMatchObject({ attempts: 2 });
    else await expect(withRetries(options, work)).rejects.toBe(error);
    expect(tries.length).toBe(repeated ? 2 : 1);
  });

  test('only locks, deadlocks and what is in the way pass by themselves', () => {
    const codes = Object.keys(ERROR_CODES) as ErrorCode[];
    expect(codes.filter(code => retryOf(code) === 'same-run')).toEqual(['LOCK_UNAVAILABLE', 'DEADLOCK', 'BLOCKED']);
  });

  test.each([
    ['an error of another kind', new TypeError('oops')],
    ['something that is no error', 'oops'],
  ])('%s is never repeated, and becomes one of ours', async (_, thrown) => {
    const { options } = rehearse();
    const { tries, work } = failing(1, thrown);
    await expect(withRetries(options, work)).rejects.toMatchObject({
      code: 'UNEXPECTED',
      message: 'oops',
      cause: thrown,
    });
    expect(tries.length).toBe(1);
  });
});

describe('a stop', () => {
  test('that came before the failure ends it with that failure', async () => {
    const { options, slept, stop } = rehearse();
    const { tries, work } = failing(Number.POSITIVE_INFINITY);
    stop.abort();
    await expect(withRetries(options, work)).rejects.toBe(locked);
    expect({ tries, slept }).toEqual({ tries: [1], slept: [] });
  });

  test.each<[string, RetryOptions['sleep']]>([
    ['ends early', () => Promise.resolve()],
    ['is rejected', () => Promise.reject(new DOMException('The operation was aborted', 'AbortError'))],
  ])('during a pause that %s means no further try, and says that it was a stop', async (_, sleep) => {
    const stop = new AbortController();
    const { options } = rehearse({
      signal: stop.signal,
      sleep: (ms, signal) => {
        stop.abort();
        return sleep(ms, signal);
      },
    });
    const { tries, work } = failing(Number.POSITIVE_INFINITY);
    await expect(withRetries(options, work)).rejects.toMatchObject({ code: 'CANCELLED', cause: locked });
    expect(tries).toEqual([1]);
  });

  test('is what the pause itself is given', async () => {
    const given: AbortSignal[] = [];
    const { options, stop } = rehearse({
      sleep: (_, signal) => {
        given.push(signal);
        return Promise.resolve();
      },
    });
    await withRetries(options, failing(1).work);
    expect(given.length).toBe(1);
    expect(given[0]).toBe(stop.signal);
  });

  test('a pause that fails for another reason is not taken for one', async () => {
    const broken = new Error('no timers left');
    const { options } = rehearse({ sleep: () => Promise.reject(broken) });
    await expect(withRetries(options, failing(1).work)).rejects.toBe(broken);
  });
});
