/** docs/configuration.md, generated: every key, variable and flag comes from the lists that the loader itself uses. */
import { BUNDLED_POLICY } from './bundled-policy.ts';
import { NEED_RESTART } from './changes.ts';
import { flagWord, SETTINGS, type SettingName, settingNames, settingOf } from './environment.ts';
import { EXAMPLE } from './example.ts';
import { DEFAULT_FILES } from './files.ts';
import { entryOf, propertiesOf, type Shape, shapeOfFile } from './json-schema.ts';
import { formatPath, isSamePath, type Path } from './problems.ts';

/** What stands for the name of an entry of `tables`, say, in a heading. */
const ENTRY_NAMES: Readonly<Record<string, string>> = { tables: 'schema.table', views: 'schema.view' };

const code = (text: string): string => `\`${text}\``;
const row = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n');
const yaml = (text: string): string => `\`\`\`yaml\n${text}\`\`\``;

/** The markdown of docs/configuration.md. */
export const configReference = (): string =>
  `${[
    '# Configuration',
    '<!-- Generated from src/config by `node scripts/generate-docs.ts`; changes made here are lost. -->',
    `partkeeper reads one YAML file. It is the one that ${code(wordOf('config'))} or ${code(SETTINGS.config.variable)} names, else ${DEFAULT_FILES.map(code).join(' or ')} in the working directory, else [the bundled policy](#the-bundled-policy). Flags win over environment variables, those over the file, that over the defaults. Whatever is wrong is reported at once, with line and column; nothing is started before all of it is right.`,
    "```\npartkeeper.yaml:7:16: tables.\"unified.events\".retention: '90' has no unit: write '90 days'\n```",
    '## Example',
    yaml(EXAMPLE),
    'Editors check the file as you type with `# yaml-language-server: $schema=partkeeper.schema.json` in its first line; [partkeeper.schema.json](partkeeper.schema.json) lies beside this page.',
    ...sections([], shapeOfFile()),
    ...ABOUT_VALUES,
    '## Environment variables and flags',
    'A variable that is set to nothing counts as not set. A variable that ends in `_FILE` names a file that holds the value, without its last line break; it cannot be combined with the variable itself. Passwords from such files are read anew at every connect, so they may be rotated.',
    settingsTable(),
    'The address of the database comes from the first of: the flag, its variable, `database.url`. The `PG…` variables supply what that address lacks, or all of it where there is none; what is left after that is up to the driver. The address for direct connections is read in the same way, and only where it is named; what it lacks comes from the `PG…` variables, never from the other address.',
    '## Reload',
    'On SIGHUP, `partkeeper run` reads file, variables, flags and the files with secrets anew. What is valid takes the place of what was in force, as a whole; runs that are under way end under what they began with. Otherwise nothing changes, the log says why, and `partkeeper_config_last_reload_success` is 0.',
    `Only a restart changes ${formatList(NEED_RESTART.map(path => code(formatPath(path))))}, or which file it is: a reload that would is refused.`,
    '## The bundled policy',
    'In force when there is no file:',
    yaml(BUNDLED_POLICY),
  ].join('\n\n')}\n`;

const formatList = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const ABOUT_VALUES = [
  '## Values',
  '- **Durations** are a whole number and a unit: `12 hours`, `90 days`, `2 weeks`, `3 months`, `1 year`. They are reckoned on the calendar. A bare number is refused.\n' +
    '- **Lengths of time** are short and exact: `200ms`, `30s`, `15min`, `1h`.\n' +
    '- **Cron patterns** have five parts (minute, hour, day, month, weekday), or six with seconds first. A pattern that never comes due is refused.\n' +
    '- **Variables**: `${NAME}` in a value is replaced by the environment variable, `${NAME:-default}` by the default where it is not set or empty; `$${` is a plain `${`. Inside `{ }` such a value needs quotes. In an address, special characters of a password must be percent-encoded.\n' +
    '- **Names** of tables and views are read as SQL reads them, with the schema: `Unified.Events` is `unified.events`, `"Unified"."Events"` is not.',
];

/** A heading and a table for every set of keys, outermost first. */
function sections(path: Path, shape: Shape): readonly string[] {
  const keys = Object.entries(propertiesOf(shape));
  const rows = keys
    .filter(([, inner]) => !isSet(inner))
    .map(([key, inner]) => keyRow([...path, key], inner, shape.required?.includes(key) ?? false));
  const own =
    path.length === 0
      ? []
      : [`## ${headingOf(path)}`, shape.description ?? '', ...(rows.length > 0 ? [table(HEADER, rows)] : [])];
  const inner = keys
    .filter(([, key]) => isSet(key))
    .flatMap(([key, keyShape]) => innerSections([...path, key], keyShape));
  // A set of jobs, each with the same keys, reads better as one table of all.
  return path.length > 0 && rows.length === 0 ? [...own, table(HEADER, nestedRows(path, keys))] : [...own, ...inner];
}

const innerSections = (path: Path, shape: Shape): readonly string[] => {
  const entry = entryOf(shape);
  return entry
    ? sections([...path, `<${ENTRY_NAMES[String(path.at(-1))] ?? 'name'}>`], {
        ...entry,
        description: shape.description ?? '',
      })
    : sections(path, shape);
};

const nestedRows = (path: Path, keys: readonly (readonly [string, Shape])[]): readonly (readonly string[])[] =>
  keys.flatMap(([key, inner]) =>
    Object.entries(propertiesOf(inner)).map(([leaf, shape]) =>
      keyRow([...path, key, leaf], shape, false, `${key}.${leaf}`),
    ),
  );

const isSet = (shape: Shape): boolean => Object.keys(propertiesOf(shape)).length > 0 || entryOf(shape) !== undefined;

const headingOf = (path: Path): string => code(formatPath(path).replaceAll('"', ''));

const HEADER = ['key', 'type', 'default', 'meaning', 'environment, flag'] as const;

function keyRow(path: Path, shape: Shape, isRequired: boolean, name = String(path.at(-1))): readonly string[] {
  // A default that depends on other keys is told in words, at the end of the description.
  const [meaning = '', told] = (shape.description ?? '').split(/ Default: (.*)\.$/);
  const fallback = isShown(shape.default) ? code(String(shape.default)) : (told ?? '');
  return [
    code(name),
    typeOf(shape),
    isRequired ? 'required' : fallback,
    meaning + examplesOf(shape),
    overridesOf(path),
  ];
}

function typeOf({ enum: words, anyOf, title, type, minimum, maximum }: Shape): string {
  if (words) return words.map(code).join(', ');
  if (anyOf) return anyOf.map(inner => (inner.type === 'array' ? 'a list of them' : typeOf(inner))).join(', or ');
  if (title !== undefined) return title;
  const kind = type === 'integer' ? 'whole number' : String(type);
  return minimum === undefined ? kind : `${kind}, ${minimum} to ${maximum}`;
}

const isShown = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

function examplesOf({ description = '', examples = [], enum: words, default: fallback }: Shape): string {
  const fresh = examples.filter(example => example !== fallback && !description.includes(code(example))).map(code);
  return words || fresh.length === 0 ? '' : ` Such as ${fresh.join(', ')}.`;
}

const wordOf = (name: SettingName): string => flagWord(settingOf(name).flag ?? '');

function overridesOf(path: Path): string {
  const name = settingNames.find(setting => isSamePath(settingOf(setting).key ?? [], path));
  if (name === undefined) return '';
  return [settingOf(name).variable, wordOf(name)].map(code).join(', ');
}

const settingsTable = (): string =>
  table(
    ['variable', 'or a file named by', 'flag', 'key', 'meaning'],
    settingNames
      .map(settingOf)
      .map(({ variable, fileVariable, flag, key, description }) => [
        code(variable),
        fileVariable === undefined ? '' : code(fileVariable),
        flag === undefined ? '' : code(flag),
        key === undefined ? '' : code(formatPath(key)),
        description,
      ]),
  );
