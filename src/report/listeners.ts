/** A subscriber as a table with one listener per kind of event, so that the compiler finds the kind that was forgotten. */
import type { Emit, Event } from './events.ts';

type EventOf = { readonly [K in Event['kind']]: Extract<Event, { kind: K }> };
export type Listeners = { readonly [K in Event['kind']]: (event: EventOf[K]) => void };

/** For everyone whom figures of the service itself do not concern. */
export const LEFT_TO_METRICS: Pick<
  Listeners,
  'lock-waited' | 'collected' | 'connect-failed' | 'queue-watched' | 'job-taken' | 'job-handled'
> = {
  'lock-waited': () => {},
  collected: () => {},
  'connect-failed': () => {},
  'queue-watched': () => {},
  'job-taken': () => {},
  'job-handled': () => {},
};

/** For everyone whom only the work concerns, and not how the service gets to it. */
export const LEFT_TO_LOG_AND_METRICS: typeof LEFT_TO_METRICS &
  Pick<
    Listeners,
    | 'scheduled'
    | 'tick-skipped'
    | 'ticks-missed'
    | 'job-rejected'
    | 'queue-troubled'
    | 'config-loaded'
    | 'reload-failed'
    | 'trigger-asked'
    | 'trigger-failed'
    | 'trigger-refused'
    | 'ready-changed'
    | 'listening'
    | 'stopped'
  > = {
  ...LEFT_TO_METRICS,
  scheduled: () => {},
  'tick-skipped': () => {},
  'ticks-missed': () => {},
  'job-rejected': () => {},
  'queue-troubled': () => {},
  'config-loaded': () => {},
  'reload-failed': () => {},
  'trigger-asked': () => {},
  'trigger-failed': () => {},
  'trigger-refused': () => {},
  'ready-changed': () => {},
  listening: () => {},
  stopped: () => {},
};

export const listenWith = (listeners: Listeners): Emit => {
  const hear = <K extends Event['kind']>(kind: K, event: EventOf[K]): void => listeners[kind](event);
  return event => hear(event.kind, event);
};
