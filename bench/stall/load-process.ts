/**
 * The load: writers and readers, each with a connection and a schedule of its own. A process apart, so that neither the
 * driver's event loop nor the measured tool's makes an insert late.
 *
 * The schedule is open: a writer that was held up owes what was due meanwhile, and each of those counts from when it was due.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { nowMs, type Sample } from './latency.ts';

export interface LoadSpec {
  readonly url: string;
  readonly isMixed: boolean;
}

export interface LoadResult {
  readonly inserts: readonly Sample[];
  readonly reads: readonly Sample[];
  /** What inserts and reads failed with: SQLSTATE, or the message where there is none. */
  readonly insertErrors: readonly string[];
  readonly readErrors: readonly string[];
  /** The longest time since `mark` for which this process itself did not get on: the machine's doing, and in every latency. */
  readonly pausedMs: number;
}

export type ToLoad =
  | { readonly kind: 'start'; readonly spec: LoadSpec }
  /** The work begins. */
  | { readonly kind: 'mark' }
  | { readonly kind: 'stop' };
export type FromLoad =
  | { readonly kind: 'running' }
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string };

const WRITERS = { count: 4, perSecond: 1_000 };
const READERS = { count: 2, perSecond: 50 };
const DEVICES = 100_000;
const MIXED_EVERY = 20;
const MINUTES_IN_DEFAULT = 1_000_000;
const HEAD_START_MS = 20;
const PAUSE_RESOLUTION_MS = 5;

const INSERT = {
  name: 'insert',
  text: `insert into bench.events (ts, device, payload)
         values (coalesce(timestamptz '2000-01-01' + $1 * interval '1 minute', clock_timestamp()), $2, repeat('x', 100))`,
};
const READ = {
  name: 'read',
  text: `select count(*) from bench.events where device = $1 and ts >= now() - interval '1 hour'`,
};

const upTo = (limit: number): number => Math.floor(Math.random() * limit) + 1;
const tell = (message: FromLoad): void => void process.send?.(message);

let stopAtMs = Number.POSITIVE_INFINITY;
let pausedMs = Number.NaN;
const pauses = monitorEventLoopDelay({ resolution: PAUSE_RESOLUTION_MS });

interface Kind {
  readonly count: number;
  readonly perSecond: number;
  readonly act: (client: Client, turn: number) => Promise<unknown>;
}

/** Whatever was due before the stop is done, however late it is. */
async function keepTo(dueMs: (turn: number) => number, act: (turn: number) => Promise<unknown>) {
  const samples: Sample[] = [];
  const errors: string[] = [];
  for (let turn = 0; ; turn += 1) {
    const due = dueMs(turn);
    const early = due - nowMs();
    if (early > 0) await sleep(early);
    if (due >= stopAtMs) return { samples, errors };
    // Timers know whole milliseconds and may come a little early; what is not late counts from its real beginning.
    const fromMs = Math.min(due, nowMs());
    try {
      await act(turn);
      samples.push({ dueMs: due, tookMs: nowMs() - fromMs });
    } catch (error) {
      errors.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
    }
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'stall bench load' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function run({ url, isMixed }: LoadSpec): Promise<void> {
  const write: Kind = {
    ...WRITERS,
    act: (client, turn) =>
      client.query({
        ...INSERT,
        values: [isMixed && turn % MIXED_EVERY === 0 ? upTo(MINUTES_IN_DEFAULT) : null, upTo(DEVICES)],
      }),
  };
  const read: Kind = { ...READERS, act: client => client.query({ ...READ, values: [upTo(DEVICES)] }) };
  const sessions = await Promise.all(
    [write, read].flatMap(kind =>
      Array.from({ length: kind.count }, async (_, index) => ({ kind, index, client: await connect(url) })),
    ),
  );
  // Plans are made and caches filled before the schedule begins.
  await Promise.all(sessions.map(({ kind, client }) => kind.act(client, 1)));
  const startMs = nowMs() + HEAD_START_MS;
  tell({ kind: 'running' });
  const ends = await Promise.all(
    sessions.map(async ({ kind, index, client }) => {
      const dueMs = (turn: number): number => startMs + ((turn * kind.count + index) * 1_000) / kind.perSecond;
      return { kind, ...(await keepTo(dueMs, turn => kind.act(client, turn))) };
    }),
  );
  const of = (kind: Kind) => ends.filter(end => end.kind === kind);
  tell({
    kind: 'result',
    result: {
      inserts: of(write).flatMap(({ samples }) => samples),
      reads: of(read).flatMap(({ samples }) => samples),
      insertErrors: of(write).flatMap(({ errors }) => errors),
      readErrors: of(read).flatMap(({ errors }) => errors),
      pausedMs,
    },
  });
  await Promise.all(sessions.map(({ client }) => client.end()));
}

process.on('message', (message: ToLoad) => {
  if (message.kind === 'start')
    run(message.spec).catch((error: unknown) => tell({ kind: 'failed', message: String(error) }));
  else if (message.kind === 'mark') {
    pauses.enable();
    pauses.reset();
  } else {
    // The figures include the resolution.
    pausedMs = Math.max(0, pauses.max / 1e6 - PAUSE_RESOLUTION_MS);
    stopAtMs = nowMs();
  }
});
// The driver is gone: nobody wants the figures any more.
process.on('disconnect', () => process.exit());
