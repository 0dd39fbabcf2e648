/** A look in the background, told to whoever keeps figures. */
import { asMaintenanceError } from '../domain/errors.ts';
import type { Instant } from '../domain/time.ts';
import type { Collector, Emit } from './events.ts';

export interface CollectingPorts {
  readonly emit: Emit;
  readonly clock: () => Instant;
  readonly monotonicMs: () => number;
}

/** What `look` came to; throws what it throws. One that was cancelled says nothing. */
export async function collecting<T>(
  { emit, clock, monotonicMs }: CollectingPorts,
  collector: Exclude<Collector, 'inventory'>,
  look: () => Promise<T>,
): Promise<T> {
  const started = monotonicMs();
  const tell = (isGood: boolean): void =>
    emit({ kind: 'collected', collector, isGood, at: clock(), durationMs: monotonicMs() - started });
  try {
    const found = await look();
    tell(true);
    return found;
  } catch (error) {
    if (asMaintenanceError(error).code !== 'CANCELLED') tell(false);
    throw error;
  }
}
