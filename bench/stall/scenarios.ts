/** What is measured: the work, the default partition, and whether a transaction that has read the parent is open meanwhile. */

/** `both` is a day's roll-over: the next partition is missing and the oldest is past its retention. */
export type Work = 'create' | 'retire' | 'both';
/** `1m`: it holds a million rows, all of them long past. */
export type DefaultPartition = 'none' | 'empty' | '1m';

export interface Scenario {
  /** Such as `create+1m+reader`. */
  readonly name: string;
  readonly work: Work;
  readonly defaultPartition: DefaultPartition;
  /** Has read the parent when the work begins, and stays open for 5 s. */
  readonly hasReader: boolean;
  /** One insert in twenty goes to the default partition. */
  readonly isMixed: boolean;
}

const WORKS: readonly Work[] = ['create', 'retire', 'both'];

function scenario(work: Work, defaultPartition: DefaultPartition, hasReader: boolean, isMixed = false): Scenario {
  const words = [work, ...(defaultPartition === 'none' ? [] : [defaultPartition])];
  const name = [...words, ...(isMixed ? ['mixed'] : []), ...(hasReader ? ['reader'] : [])].join('+');
  return { name, work, defaultPartition, hasReader, isMixed };
}

export const SCENARIOS: readonly Scenario[] = [
  ...(['none', '1m'] as const).flatMap(kind =>
    WORKS.flatMap(work => [scenario(work, kind, false), scenario(work, kind, true)]),
  ),
  // An empty one costs no scan, but rules out DETACH … CONCURRENTLY all the same.
  scenario('both', 'empty', false),
  scenario('both', 'empty', true),
  // Here the default partition's own lock is one that writers wait for.
  scenario('both', '1m', false, true),
  scenario('both', '1m', true, true),
];

const WORK_TEXT: Readonly<Record<Work, string>> = {
  create: 'create the next',
  retire: 'retire the oldest',
  both: 'create and retire',
};

const DEFAULT_TEXT: Readonly<Record<DefaultPartition, string>> = {
  none: 'no default',
  empty: 'empty default',
  '1m': 'default of 1 M rows',
};

export const describeScenario = ({ work, defaultPartition, hasReader, isMixed }: Scenario): string =>
  [
    WORK_TEXT[work],
    DEFAULT_TEXT[defaultPartition] + (isMixed ? ', 5 % of inserts into it' : ''),
    ...(hasReader ? ['reader open 5 s'] : []),
  ].join(', ');
