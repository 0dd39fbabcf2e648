/** `partkeeper adopt`: the ledger that came with a copy, a rename or an upgrade belongs to this database from now on. */
import type { Command } from 'commander';
import { createApp } from '../app.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { statements } from '../ledger/statements.ts';
import { plural } from '../report/figures.ts';
import { whereInstalled } from './installed.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SharedOptions } from './options.ts';

interface AdoptOptions extends SharedOptions {
  readonly keepRetirements?: boolean;
}

export const adoptCommand = (): Command =>
  commandWith('adopt', 'let the ledger belong to this database, after a copy, a rename or pg_upgrade').option(
    '--keep-retirements',
    'OIDs are still the same (pg_upgrade, a rename): go on with what was detached; default: it is forgotten, and its tables stay',
  );

export async function runAdopt(options: AdoptOptions, io: Io): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    const [row] = await whereInstalled(
      app.database.use(session =>
        session.query<{ forgotten: number }>(statements.adopt, [!options.keepRetirements], 'adopt the ledger'),
      ),
    );
    const forgotten = row?.forgotten ?? 0;
    if (options.json) io.out(json({ forgotten }));
    else
      io.out(
        line(
          `The ledger belongs to ${app.database.address} now${forgotten > 0 ? `; ${plural(forgotten, 'open retirement')} forgotten, whose tables stay` : ''}.`,
        ),
      );
    return EXIT_CODES.done;
  } finally {
    await app.close();
  }
}
