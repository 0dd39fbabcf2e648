/** The configuration in force. Another takes its place as a whole or not at all, and what runs goes on under its own. */
import type { App } from './app.ts';
import { changedKeys, refuseWhatNeedsRestart } from './config/changes.ts';
import type { Config } from './config/config.ts';
import { configHash } from './config/hash.ts';
import { asMaintenanceError } from './domain/errors.ts';

export interface Live {
  /** What is in force now; whoever begins something asks again. */
  readonly app: () => App;
  /** Works under what is in force now, to the end. `superseded` aborts when something else is in force. */
  readonly use: <T>(work: (app: App, superseded: AbortSignal) => Promise<T>) => Promise<T>;
  /**
   * Reads the configuration anew. Where it is not valid, or asks for what only a restart can change, everything stays as it
   * is. Never throws: what came of it is an event.
   */
  readonly reload: () => void;
  /** Closes every connection, also of what is still at work. */
  readonly close: () => Promise<void>;
}

export interface LiveOptions {
  readonly config: Config;
  /** @throws ConfigError with everything that is wrong */
  readonly load: () => Config;
  readonly create: (config: Config) => App;
  /** Called before anything is done under it. */
  readonly onLoaded: (config: Config) => void;
}

interface Generation {
  readonly app: App;
  readonly config: Config;
  readonly superseded: AbortController;
  users: number;
}

export function keepLive({ config, load, create, onLoaded }: LiveOptions): Live {
  const begin = (with_: Config): Generation => ({
    app: create(with_),
    config: with_,
    superseded: new AbortController(),
    users: 0,
  });
  let current = begin(config);
  const open = new Set([current]);

  const close = async (generation: Generation): Promise<void> => {
    if (open.delete(generation)) await generation.app.close();
  };
  const closeIfUnused = (generation: Generation): void => {
    // Its connections have nobody else who would wait for their end.
    if (generation !== current && generation.users === 0) void close(generation).catch(() => {});
  };
  const tell = (how: 'start' | 'reload', changes: readonly string[]): void => {
    const { app, config: given } = current;
    onLoaded(given);
    app.runner.emit({
      kind: 'config-loaded',
      how,
      at: app.runner.clock(),
      origin: given.origin,
      hash: configHash(given),
      tables: given.tables.map(({ policy }) => policy),
      views: given.views.map(({ policy }) => policy),
      ledgerTables: app.policies.tables.filter(table => given.tables.every(({ policy }) => policy !== table)),
      changes,
    });
  };

  tell('start', []);
  return {
    app: () => current.app,
    async use(work) {
      const generation = current;
      generation.users += 1;
      try {
        return await work(generation.app, generation.superseded.signal);
      } finally {
        generation.users -= 1;
        closeIfUnused(generation);
      }
    },
    reload() {
      try {
        const next = load();
        refuseWhatNeedsRestart(current.config, next);
        const before = current;
        current = begin(next);
        open.add(current);
        tell('reload', changedKeys(before.config, next));
        before.superseded.abort('another configuration is in force');
        closeIfUnused(before);
      } catch (error) {
        current.app.runner.emit({ kind: 'reload-failed', error: asMaintenanceError(error) });
      }
    },
    close: async () => void (await Promise.all([...open].map(close))),
  };
}
