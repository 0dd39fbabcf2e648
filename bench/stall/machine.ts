/** What it was measured on, because a figure without its machine says little. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';

const GIB = 2 ** 30;
/** After the two fields before and in the parentheses. */
const POLICY_FIELD = 41 - 3;
/** SCHED_FIFO and SCHED_RR. */
const REAL_TIME_POLICIES = [1, 2];

export const describeMachine = (): string => {
  const processors = cpus();
  return (
    `${processors.length} processors (${processors[0]?.model.trim() ?? 'unknown'}), ` +
    `${Math.round(totalmem() / GIB)} GiB of memory, ${type()} ${release().split('.').slice(0, 2).join('.')} ${arch()}, Node ${process.versions.node}`
  );
};

export interface Busyness {
  /** Shares of all processor time since the start: ours and everybody's, and what the host gave to other machines. */
  readonly busy: number;
  readonly stolen: number;
}

/** Linux only; elsewhere nothing is known. */
export function watchProcessors(): () => Busyness | undefined {
  const start = readTicks();
  return () => {
    const end = readTicks();
    if (!start || !end) return undefined;
    const total = end.total - start.total;
    const share = (of: 'idle' | 'stolen'): number => (end[of] - start[of]) / total;
    return { busy: 1 - share('idle') - share('stolen'), stolen: share('stolen') };
  };
}

/** Were we started by `chrt --rr`? Server, load and tools inherit that. */
export function isRealTime(): boolean {
  try {
    // The name in parentheses may hold spaces; the scheduling policy is the 41st field, counted with it.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return REAL_TIME_POLICIES.includes(Number(fields[POLICY_FIELD]));
  } catch {
    return false;
  }
}

/** One real-time priority for a process that is to wait for server and load, which have a higher one. */
export function yieldTo(pid: number): void {
  const { status, stderr, error } = spawnSync('chrt', ['--all-tasks', '--rr', '--pid', '1', String(pid)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`--yield: chrt could not do it: ${error?.message ?? stderr}`);
}

function readTicks(): { readonly total: number; readonly idle: number; readonly stolen: number } | undefined {
  try {
    // cpu user nice system idle iowait irq softirq steal …
    const ticks = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number);
    const [, , , idle = 0, waiting = 0, , , stolen = 0] = ticks;
    return { total: ticks.reduce((sum, tick) => sum + tick, 0), idle: idle + waiting, stolen };
  } catch {
    return undefined;
  }
}
