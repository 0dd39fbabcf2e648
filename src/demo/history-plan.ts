/** When did things happen? The rhythm of the demo's history, without chance: the same moment always gives the same plan. */
import { type Instant, instantFromEpochMs } from '../domain/time.ts';

/** Rows `firstRow`, `firstRow + 1`, … fall between `startMs` and `startMs + lengthMs`. */
export interface Slot {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly firstRow: number;
  readonly rows: number;
  /** Something is going wrong. */
  readonly isIncident: boolean;
}

export interface MonthPlan {
  /** `2025-09` */
  readonly month: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly slots: readonly Slot[];
  readonly rows: number;
}

const HOUR_MS = 3_600_000;

/** Requests by hour of the day in UTC: people in Europe in the morning, in America in the evening. */
const BY_HOUR = [
  0.3, 0.25, 0.2, 0.2, 0.25, 0.4, 0.7, 1.1, 1.5, 1.7, 1.7, 1.6, 1.5, 1.7, 1.9, 2, 1.9, 1.7, 1.4, 1.2, 1, 0.8, 0.6, 0.4,
] as const;
/** By day of the week, Sunday first. */
const BY_WEEKDAY = [0.45, 1, 1.1, 1.15, 1.1, 1, 0.55] as const;

/** The share of all rows that belongs to the trouble of the last three quarters of an hour. */
const INCIDENT_SHARE = 0.003;
const INCIDENT_MS = 45 * 60_000;

/** Exactly `rows` rows over `months` months up to `now`, cut at the months' ends in UTC, oldest first. */
export function planHistory(now: Date, months: number, rows: number): readonly MonthPlan[] {
  const end = instantFromEpochMs(now.getTime()).toZonedDateTimeISO('UTC');
  const everyday = everydayLife(end.subtract({ months }).epochMilliseconds, end.epochMilliseconds);
  const slots = [...fill([...everyday, ...incident(everyday, end.epochMilliseconds)], rows)];
  const plans: MonthPlan[] = [];
  for (let month = end.subtract({ months }).with({ day: 1 }).startOfDay(); month.epochMilliseconds < now.getTime(); ) {
    const next = month.add({ months: 1 });
    const inside = slots.filter(
      ({ startMs }) => startMs >= month.epochMilliseconds && startMs < next.epochMilliseconds,
    );
    plans.push({
      month: month.toString().slice(0, 7),
      from: month.toInstant(),
      to: next.toInstant(),
      slots: inside,
      rows: inside.reduce((sum, slot) => sum + slot.rows, 0),
    });
    month = next;
  }
  return plans;
}

interface Stretch {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly weight: number;
  readonly isIncident: boolean;
}

/** The rounding is carried along, so that the rows add up to what was asked for. */
function* fill(stretches: readonly Stretch[], rows: number): Generator<Slot> {
  const total = weigh(stretches);
  let passed = 0;
  let firstRow = 0;
  for (const { startMs, lengthMs, weight, isIncident } of stretches) {
    passed += weight;
    const nextRow = Math.round((rows * passed) / total);
    if (nextRow > firstRow) yield { startMs, lengthMs, firstRow, rows: nextRow - firstRow, isIncident };
    firstRow = nextRow;
  }
}

const weigh = (stretches: readonly Stretch[]): number => stretches.reduce((sum, { weight }) => sum + weight, 0);

/** Hour by hour, so that a month's end is always the end of a stretch. */
function everydayLife(fromMs: number, toMs: number): readonly Stretch[] {
  const hours: Stretch[] = [];
  for (let startMs = fromMs; startMs < toMs; ) {
    const endMs = Math.min(toMs, (Math.floor(startMs / HOUR_MS) + 1) * HOUR_MS);
    const weight = (weightOf(startMs, (startMs - fromMs) / (toMs - fromMs)) * (endMs - startMs)) / HOUR_MS;
    hours.push({ startMs, lengthMs: endMs - startMs, weight, isIncident: false });
    startMs = endMs;
  }
  return hours;
}

/** More of the same in the last hours, up to now. */
function incident(everyday: readonly Stretch[], toMs: number): readonly Stretch[] {
  const weight = weigh(everyday) * INCIDENT_SHARE;
  return everyday.flatMap(hour => {
    const startMs = Math.max(hour.startMs, toMs - INCIDENT_MS);
    const lengthMs = hour.startMs + hour.lengthMs - startMs;
    return lengthMs > 0 ? [{ startMs, lengthMs, weight: (weight * lengthMs) / INCIDENT_MS, isIncident: true }] : [];
  });
}

/** Grows by half over the history; no two hours are quite alike, and about one in eighty is unusually busy. */
function weightOf(atMs: number, progress: number): number {
  const hour = new Date(atMs);
  const chance = scatter(Math.floor(atMs / HOUR_MS));
  const rhythm = (BY_HOUR[hour.getUTCHours()] ?? 1) * (BY_WEEKDAY[hour.getUTCDay()] ?? 1);
  return rhythm * (1 + progress / 2) * (0.8 + 0.4 * chance) * (chance > 0.9875 ? 2.5 : 1);
}

/** A fixed number from 0 to 1 for each integer, without a pattern one could see. */
function scatter(n: number): number {
  let hash = Math.imul(n ^ (n >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 0x1_0000_0000;
}
