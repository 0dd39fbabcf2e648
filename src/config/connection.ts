/** Address, `PG…` variables and secret files → how to connect. What the address names, it decides. */
import type { DatabaseOptions } from '../domain/database.ts';
import { MaintenanceError } from '../domain/errors.ts';
import { type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import {
  readSetting,
  type SettingName,
  type Supplied,
  type Surroundings,
  settingOf,
  variableOf,
  whyUnreadable,
} from './environment.ts';
import { isPort, parseSslMode } from './parsers.ts';
import { type ConfigProblem, problemAt } from './problems.ts';

const CONNECTION_SETTINGS = [
  'host',
  'port',
  'user',
  'password',
  'database',
  'sslMode',
] as const satisfies readonly SettingName[];

/** Does any `PG…` variable say something about the connection? */
export const hasConnectionVariables = (env: Surroundings['env']): boolean =>
  CONNECTION_SETTINGS.map(settingOf).some(
    ({ variable, fileVariable }) => variableOf(env, variable) ?? (fileVariable && variableOf(env, fileVariable)),
  );

export type Connection = Omit<DatabaseOptions, 'pool' | 'connectTimeoutMs'>;

/** `text` is the address, `supplied` where it came from, if not from the file. Undefined: it is none, which the schema says. */
export function resolveConnection(
  text: unknown,
  supplied: Supplied | undefined,
  surroundings: Surroundings,
  report: (problem: ConfigProblem) => void,
): Connection | undefined {
  const parsed = typeof text === 'string' ? parseDatabaseUrl(text) : undefined;
  if (text !== undefined && !parsed?.ok) return undefined;
  const url: DatabaseUrl | undefined = parsed?.ok ? parsed.value : undefined;
  // What the address says already is not even looked at, so an unreadable file for it is no problem.
  const fill = (name: (typeof CONNECTION_SETTINGS)[number]): Supplied | undefined =>
    url?.[name] === undefined ? readSetting(name, surroundings, report) : undefined;
  const port = fill('port');
  if (port && !isPort(Number(port.value)))
    report(problemAt(port.place, [], `'${port.value}' is not a port: use a number from 1 to 65535`));
  const sslMode = fill('sslMode');
  const mode = sslMode && parseSslMode(sslMode.value);
  if (sslMode && mode?.ok === false) report(problemAt(sslMode.place, [], `'${sslMode.value}' ${mode.problem}`));
  return {
    connectionString: url?.text,
    host: fill('host')?.value,
    port: port && Number(port.value),
    user: fill('user')?.value,
    database: fill('database')?.value,
    password: passwordOf(fill('password')) ?? passwordInUrl(supplied),
    sslMode: sslMode?.value,
  };
}

const passwordOf = (supplied: Supplied | undefined): Connection['password'] =>
  supplied?.reread ? rereading(supplied, supplied.reread) : supplied?.value;

// A rotated secret changes the whole address in the file; its password is what a new connection needs of it.
function passwordInUrl(supplied: Supplied | undefined): Connection['password'] {
  const { reread } = supplied ?? {};
  if (!supplied || !reread) return undefined;
  return rereading(supplied, () => {
    const parsed = parseDatabaseUrl(reread());
    return (parsed.ok ? parsed.value.password : undefined) ?? '';
  });
}

/** Asked at every connect. @throws MaintenanceError CONFIG_INVALID, when the file cannot be read any more */
const rereading =
  ({ place }: Supplied, read: () => string) =>
  (): string => {
    try {
      return read();
    } catch (error) {
      throw new MaintenanceError(
        'CONFIG_INVALID',
        `could not read the password anew: the file that ${place.file} names ${whyUnreadable(error)}`,
        {
          cause: error,
        },
      );
    }
  };
