/** Which statement of a command meets with which accident; what happens there is in `kill-at-statement.preload.ts`. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Chance } from './random.ts';

/** The process is killed right before the statement is sent, once it is in the socket, or once its result has arrived. */
export const KILLS = ['before', 'sent', 'done'] as const;

/** The statement's backend is terminated before it is sent, and the process has heard of it by then, or has not. */
export const TERMINATIONS = ['noticed', 'unnoticed'] as const;

export type Kill = (typeof KILLS)[number];
export type Termination = (typeof TERMINATIONS)[number];
export type Fault = Kill | Termination;

/** What the preload is told by. */
export const VARIABLES = { fault: 'PK_KILL_AT', record: 'PK_STATEMENTS' } as const;

/** When the accident itself could not be brought about. No command has it. */
export const UNRELATED_EXIT_CODE = 99;

export const PRELOAD = fileURLToPath(new URL('./kill-at-statement.preload.ts', import.meta.url));

/** The `number`-th statement, counted from one. */
export interface Case<F extends string = Fault> {
  readonly number: number;
  readonly fault: F;
  readonly text: string;
}

/** The statements that a process with the preload has written down. */
export const readRecord = async (file: string): Promise<readonly string[]> =>
  (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as string);

/** Statements that differ in names and values only are of one kind. */
const kindOf = (text: string): string => text.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, '…');

/**
 * Which statements to try with one fault: `atLeast` so many, evenly. With PK_FAULTS=kinds one of every kind as well;
 * all of them with PK_FAULTS=all; with a list such as PK_FAULTS=17:sent,18:done these alone.
 */
export function chooseCases<F extends string>(
  statements: readonly string[],
  fault: F,
  atLeast: number,
  random: Chance,
): readonly Case<F>[] {
  const all = statements.map((text, index) => ({ number: index + 1, fault, text }));
  const { PK_FAULTS: wanted } = process.env;
  if (wanted === 'all') return all;
  if (wanted && wanted !== 'kinds') return all.filter(({ number }) => wanted.split(',').includes(`${number}:${fault}`));
  const kinds = [...Map.groupBy(all, ({ text }) => kindOf(text)).values()];
  const ofEachKind = wanted === 'kinds' ? kinds.map(same => random.pick(same)) : [];
  const others = all.filter(({ number }) => !ofEachKind.some(chosen => chosen.number === number));
  const more = Math.min(others.length, Math.max(0, atLeast - ofEachKind.length));
  const step = others.length / more;
  const start = random.below(1_000) / 1_000;
  const evenly = Array.from({ length: more }, (_, index) => others[Math.floor((index + start) * step)]);
  return [...ofEachKind, ...evenly.filter(found => found !== undefined)].toSorted((a, b) => a.number - b.number);
}

/** Does the work of all, so many at a time, and gives the answers in order. */
export async function inLanes<T, R>(
  lanes: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const answers: R[] = [];
  const waiting = [...items.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, item] = next;
      answers[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return answers;
}

export const describeCase = ({ number, fault, text }: Case<string>): string =>
  `PK_FAULTS=${number}:${fault} at "${text.replaceAll(/\s+/g, ' ').slice(0, 120)}"`;
