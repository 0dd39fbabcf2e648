/** Every fault by its number, in three groups. Numbers that are missing belong to other parts of the system. */
import type { Fault, FaultNumber, Sign } from './fault.ts';
import { LOCK_FAULTS } from './locks.ts';
import { SCHEMA_FAULTS } from './schema.ts';
import { SERVER_FAULTS } from './server.ts';

type Faults = Readonly<Record<FaultNumber, Fault>>;

const GROUPS: Readonly<Record<string, Faults>> = {
  'Server and network': SERVER_FAULTS,
  'Locks and interruptions': LOCK_FAULTS,
  'Schema and data': SCHEMA_FAULTS,
};

export const FAULTS: readonly (readonly [FaultNumber, Fault])[] = Object.values(GROUPS).flatMap(entriesOf);

function entriesOf(faults: Faults): readonly (readonly [FaultNumber, Fault])[] {
  return Object.entries(faults) as unknown as readonly (readonly [FaultNumber, Fault])[];
}

const KINDS: { readonly [K in Sign['kind']]: string } = {
  error: 'error',
  finding: 'finding',
  skip: 'skip',
  metric: 'metric',
  log: 'log line',
};

const signText = (sign: Sign): string =>
  `${KINDS[sign.kind]} \`${sign.name}\`${sign.kind === 'metric' ? ` (${sign.means})` : ''}`;

function section([number, fault]: readonly [FaultNumber, Fault]): readonly string[] {
  const { title, happens, holds, seen, tests = [], untested } = fault;
  return [
    '',
    `### ${number} ${title}`,
    '',
    happens,
    '',
    `- **What holds**: ${holds}`,
    ...(seen.length > 0 ? [`- **What is seen**: ${seen.map(signText).join(', ')}`] : []),
    ...(tests.length > 0 ? [`- **Shown by**: ${tests.map(file => `\`test/${file}\``).join(', ')}`] : []),
    ...(untested === undefined ? [] : [`- **Not tested**: ${untested}`]),
  ];
}

/** The whole of `docs/faults.md`. */
export function faultsReference(): string {
  return [
    '# Faults',
    '',
    '<!-- Generated from test/faults/catalogue by `node scripts/generate-docs.ts`; changes made here are lost. -->',
    '',
    'What can go wrong around partkeeper, what holds all the same, and where an operator sees it. Each has a test whose title begins',
    'with its number. After every accident the same oracle judges (`test/support/oracle.ts`): no row inside the policy lost, no gap',
    'opened, the ledger as the catalog, nothing of ours left behind, and the next run converges to an empty plan. `npm run test:soak`',
    'does many of them at random, under a seed that it prints.',
    ...Object.entries(GROUPS).flatMap(([group, faults]) => ['', `## ${group}`, ...entriesOf(faults).flatMap(section)]),
    '',
  ].join('\n');
}
