/** What can be measured: how it is made ready for a table, and how it does one pass of its maintenance. */
import type { Client } from 'pg';

export interface Stage {
  /** The database with `bench.events`, which is this contender's alone. */
  readonly url: string;
  /** The zone in which its days begin. */
  readonly zone: string;
  /** For what is done before the load starts. */
  readonly client: Client;
  /** Does a process of the contender's own leave the processors to server and load? */
  readonly yields: boolean;
  readonly signal: AbortSignal;
}

export interface Ready {
  /** One pass over the table. Answers what is worth knowing when the work was not done; throws what it failed with. */
  readonly pass: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

export interface Contender {
  /** As `--contender` has it. */
  readonly name: string;
  /** Heads its column. */
  readonly title: string;
  /** Why it cannot be measured on this server, if it cannot. */
  readonly absence: (client: Client) => Promise<string | undefined>;
  /** Called on a table with all its partitions; only afterwards one is missing and one expired. */
  readonly prepare: (stage: Stage) => Promise<Ready>;
}

/** The roll-over that everyone is asked for: days, this many of them ahead, that many kept. */
export const PREMAKE = 4;
export const RETENTION_DAYS = 25;
