/** What a command may use of the world, so that tests can give it another. */
import type { Emit } from '../report/events.ts';

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isTerminal: boolean;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Aborted by SIGINT and SIGTERM. */
  readonly stopping: AbortSignal;
  /** Gives SIGHUP to a service, which does not end of it; to everything else it says the same as SIGTERM. */
  readonly onHangUp: (listener: () => void) => void;
  /** Further listeners, for tests and for embedding. */
  readonly subscribers: readonly Emit[];
}

/** Text that ends with a line end, whatever it was. */
export const line = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

export const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
