/** A configuration as it is where no file says otherwise. */
import { tmpdir } from 'node:os';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';

export const plainConfig = (): Config =>
  loadConfig({ flags: {}, env: { DATABASE_URL: 'postgres://nowhere/none' }, cwd: tmpdir(), isTerminal: false });
