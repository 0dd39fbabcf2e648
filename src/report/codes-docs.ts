/** docs/codes.md: every code that a person may meet, from the lists in which the code itself looks them up. */
import { ERROR_CODES, type ErrorCode, exitCodes, retryOf } from '../domain/errors.ts';
import { FINDINGS } from '../domain/findings.ts';
import { SKIP_REASONS } from '../domain/plan.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${head.join(' | ')} |`,
  `| ${head.map(() => '---').join(' | ')} |`,
  ...rows.map(row => `| ${row.join(' | ')} |`),
];

const RETRIES = { 'same-run': 'yes, in the same run', 'next-run': 'from fresh facts' } as const;

const errorRows = (Object.keys(ERROR_CODES) as ErrorCode[]).map(code => {
  const retry = retryOf(code);
  return [`\`${code}\``, ERROR_CODES[code], retry === undefined ? 'no: a person must act' : RETRIES[retry]];
});

export function codesReference(): string {
  const lines = [
    '# Codes',
    '',
    '<!-- Generated from src/domain by `node scripts/generate-docs.ts`; changes made here are lost. -->',
    '',
    '## Findings',
    '',
    'What `check` and `plan` report, and the label `code` of `partkeeper_findings`.',
    '',
    ...table(
      ['code', 'severity', 'meaning'],
      Object.entries(FINDINGS).map(([code, { severity, title }]) => [`\`${code}\``, severity, title]),
    ),
    '',
    '## Errors',
    '',
    'Why an action or a run failed, in logs and in `--json`.',
    '',
    ...table(['code', 'meaning', 'tried again'], errorRows),
    '',
    '## Reasons to leave something alone',
    '',
    'Whatever a plan considers and does not touch has one of these.',
    '',
    ...table(
      ['reason', 'meaning'],
      Object.entries(SKIP_REASONS).map(([reason, meaning]) => [`\`${reason}\``, meaning]),
    ),
    '',
    '## Exit codes',
    '',
    ...table(
      ['code', 'meaning'],
      exitCodes().map(({ code, meaning }) => [String(code), meaning]),
    ),
    '',
  ];
  return lines.join('\n');
}
