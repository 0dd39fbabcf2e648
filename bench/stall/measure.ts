/** One measurement: a fresh database, the load, perhaps a reader, the work, and what the load saw meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Contender, Ready } from './contenders/contender.ts';
import { CONTROL } from './contenders/control.ts';
import { type Figures, figuresOf, nowMs } from './latency.ts';
import { type Load, startLoad } from './processes.ts';
import type { Scenario } from './scenarios.ts';
import { readVerdict, rollOver, type Scene } from './scene.ts';

export interface Measurement {
  readonly scenario: string;
  readonly contender: string;
  /** From 1; ratios are taken within a run. */
  readonly run: number;
  readonly isDone: boolean;
  /** Where it is not: what is missing. Where it took several passes: what those before the last said. */
  readonly note: string | undefined;
  readonly passes: number;
  /** Until the work was done, or given up. */
  readonly workMs: number;
  /** Of what was due from the start of the work until well after its end. */
  readonly inserts: Figures;
  readonly reads: Figures;
  /** Of the seconds before the work began: how quiet the machine was. */
  readonly before: Figures;
  /** The longest time since then for which the load itself did not get on. */
  readonly pausedMs: number;
  readonly insertErrors: readonly string[];
  readonly readErrors: readonly string[];
}

const SETTLE_MS = 2_000;
const BEFORE_MS = 2_000;
const READER_OPEN_MS = 5_000;
/** A reader that has just begun is none that anyone would look out for. */
const READER_AHEAD_MS = 500;
const OBSERVED_MS = { withReader: 8_000, withoutReader: 4_000 };
const OBSERVED_AFTER_MS = 2_000;
/** As a schedule would: what was left undone is tried again. */
const NEXT_PASS_MS = 1_000;
const GIVE_UP_MS = 15_000;
const HANGS_MS = 60_000;

export interface Request {
  readonly scene: Scene;
  readonly scenario: Scenario;
  readonly contender: Contender;
  readonly run: number;
  readonly yields: boolean;
  readonly signal: AbortSignal;
}

export async function measure({ scene, scenario, contender, run, yields, signal }: Request): Promise<Measurement> {
  const { url, client } = await scene.open(scenario);
  let ready: Ready | undefined;
  let load: Load | undefined;
  try {
    ready = await contender.prepare({ url, zone: scene.zone, client, yields, signal });
    await rollOver(client, scenario.work);
    load = await startLoad({ url, isMixed: scenario.isMixed }, signal);
    await sleep(SETTLE_MS, undefined, { signal });
    const beforeMs = nowMs();
    await sleep(BEFORE_MS, undefined, { signal });
    const reader = scenario.hasReader ? await openReader(url, signal) : undefined;
    load.mark();
    const startMs = nowMs();
    const worked = await work(client, { scenario, contender, ready, signal });
    const endMs = nowMs();
    const least = scenario.hasReader ? OBSERVED_MS.withReader : OBSERVED_MS.withoutReader;
    const untilMs = Math.max(startMs + least, endMs + OBSERVED_AFTER_MS);
    await sleep(untilMs - nowMs(), undefined, { signal });
    const { inserts, reads, insertErrors, readErrors, pausedMs } = await load.stop();
    await reader?.closed;
    return {
      scenario: scenario.name,
      contender: contender.name,
      run,
      ...worked,
      workMs: endMs - startMs,
      inserts: figuresOf(inserts, startMs, untilMs),
      reads: figuresOf(reads, startMs, untilMs),
      before: figuresOf(inserts, beforeMs, beforeMs + BEFORE_MS),
      pausedMs,
      insertErrors,
      readErrors,
    };
  } finally {
    await load?.kill();
    await ready?.close();
  }
}

type Work = Pick<Request, 'scenario' | 'contender' | 'signal'> & { readonly ready: Ready };
type Worked = Pick<Measurement, 'isDone' | 'note' | 'passes'>;

/** Passes until the catalog says that it is done. */
async function work(client: Client, { scenario, contender, ready, signal }: Work): Promise<Worked> {
  if (contender.name === CONTROL) return { isDone: true, note: undefined, passes: 0 };
  const startMs = nowMs();
  const notes = new Set<string>();
  for (let passes = 1; ; passes += 1) {
    const said = await within(HANGS_MS, ready.pass(), signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return error instanceof Error ? error.message : String(error);
    });
    if (said !== undefined) notes.add(said);
    const missing = await readMissing(client, scenario);
    if (missing.length === 0 || nowMs() - startMs + NEXT_PASS_MS > GIVE_UP_MS)
      return { isDone: missing.length === 0, note: [...missing, ...notes].join('; ') || undefined, passes };
    await sleep(NEXT_PASS_MS, undefined, { signal });
  }
}

async function readMissing(client: Client, { work: wanted }: Scenario): Promise<readonly string[]> {
  const { isCreated, isRetired, remains } = await readVerdict(client);
  return [
    ...(wanted !== 'retire' && !isCreated ? ['the next partition is missing'] : []),
    ...(wanted !== 'create' && !isRetired ? [`the expired partition ${remains}`] : []),
  ];
}

async function within<T>(ms: number, promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const deadline = sleep(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) }).then(() => {
    throw new Error(`no end after ${ms / 1000} s`);
  });
  deadline.catch(() => undefined);
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    over.abort();
  }
}

/** A transaction that has read the parent, and with it holds ACCESS SHARE on every partition; busy until its end. */
async function openReader(url: string, signal: AbortSignal): Promise<{ readonly closed: Promise<void> }> {
  const client = new Client({ connectionString: url, application_name: 'stall bench reader' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin; select id from bench.events limit 1');
  const closed = client.query(`select pg_sleep(${READER_OPEN_MS / 1000}); commit`).then(() => client.end());
  // Whoever waits for it is told; whoever was interrupted does not wait.
  closed.catch(() => undefined);
  await sleep(READER_AHEAD_MS, undefined, { signal });
  return { closed };
}
