/** A table's partitions on a line, to scale: where each begins and ends in hundredths of the width. Pure geometry. */
import type { TableStatus } from '../status/document.ts';
import { type Tick, ticksBetween } from './axis.ts';
import { msOf } from './words.ts';

/** `planned`: the plan creates it. `detached`: taken off by us, and still there. */
export type SegmentState = TableStatus['partitions'][number]['state'] | 'gap' | 'planned' | 'detached';

export interface Segment {
  readonly state: SegmentState;
  /** Hundredths of the width. */
  readonly x: number;
  readonly width: number;
  /** Its size, as a share of the largest one's; 0 for what is no table. */
  readonly height: number;
  readonly label: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly bytes: number;
  /** How many were too narrow to be shown one by one. */
  readonly count: number;
}

export interface Timeline {
  readonly segments: readonly Segment[];
  readonly ticks: readonly Tick[];
  readonly now: number;
  /** Undefined: kept for ever. Left of 0: further back than the line reaches. */
  readonly cutoff: number | undefined;
  readonly largestBytes: number;
}

interface Item {
  readonly state: SegmentState;
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly bytes: number;
}

/** Narrower ones are shown together with their neighbours: a screen has no more points than that. */
const NARROWEST = 0.15;
/** The retention line is shown in its place while it lies no further beyond the oldest partition than this share of the line. */
const REACH = 0.25;

/** @returns undefined where nothing has a place in time */
export function timelineOf(table: TableStatus): Timeline | undefined {
  const items = itemsOf(table);
  const known = items.flatMap(({ from, to }) => [from, to].flatMap(end => (end === null ? [] : [msOf(end)])));
  if (known.length === 0 || table.now === null) return undefined;
  const now = msOf(table.now);
  const cutoff = table.cutoff === null ? undefined : msOf(table.cutoff);
  const [first, last] = [Math.min(now, ...known), Math.max(now, ...known)];
  const start = cutoff !== undefined && cutoff < first && first - cutoff <= (last - first) * REACH ? cutoff : first;
  const scale = scaleOf(start, last);
  const largestBytes = Math.max(0, ...items.map(({ bytes }) => bytes));
  const segments = items
    .map(item => {
      const x = item.from === null ? 0 : scale(msOf(item.from));
      const end = item.to === null ? 100 : scale(msOf(item.to));
      return { ...item, label: item.name, x, width: end - x, height: share(item.bytes, largestBytes), count: 1 };
    })
    .toSorted((a, b) => a.x - b.x);
  return {
    segments: together(segments),
    ticks: ticksBetween(start, last).map(tick => ({ ...tick, at: scale(tick.at) })),
    now: scale(now),
    cutoff: cutoff === undefined ? undefined : scale(cutoff),
    largestBytes,
  };
}

const IS_PLACED: { readonly [K in TableStatus['partitions'][number]['state']]: boolean } = {
  expired: true,
  past: true,
  current: true,
  future: true,
  detach_pending: true,
  default: false,
  unreadable: false,
};

/** What has no place in time. */
export const unplaced = ({ partitions }: TableStatus): TableStatus['partitions'] =>
  partitions.filter(({ state }) => !IS_PLACED[state]);

const itemsOf = ({ partitions, gaps, planned, retirements }: TableStatus): readonly Item[] => [
  ...partitions.filter(({ state }) => IS_PLACED[state]),
  ...gaps.map(gap => ({ ...gap, state: 'gap' as const, name: 'no partition', bytes: 0 })),
  ...planned.map(each => ({ ...each, state: 'planned' as const, bytes: 0 })),
  ...retirements
    .filter(({ state, from, to }) => IS_DETACHED.has(state) && from !== null && to !== null)
    .map(each => ({ ...each, state: 'detached' as const, bytes: each.bytes ?? 0 })),
];

const IS_DETACHED: ReadonlySet<string> = new Set(['detached', 'kept', 'restoring']);

// Two thousandths on either side stay free, for lines that lie at the very end.
const scaleOf =
  (start: number, end: number) =>
  (at: number): number =>
    end === start ? 50 : 0.2 + ((at - start) / (end - start)) * 99.6;

const share = (bytes: number, of: number): number => (of === 0 ? 0 : bytes / of);

/** Neighbours of one state that are too narrow to be told apart become one. */
function together(segments: readonly Segment[]): readonly Segment[] {
  const shown: Segment[] = [];
  for (const next of segments) {
    const last = shown.at(-1);
    if (last && last.state === next.state && last.to === next.from && isNarrow(last) && isNarrow(next))
      shown[shown.length - 1] = {
        ...last,
        width: next.x + next.width - last.x,
        height: Math.max(last.height, next.height),
        label: `${last.count + next.count} partitions`,
        to: next.to,
        bytes: last.bytes + next.bytes,
        count: last.count + next.count,
      };
    else shown.push(next);
  }
  return shown;
}

const isNarrow = ({ width }: Segment): boolean => width < NARROWEST;
