/** docs/cli.md: the help of every command, as the command line itself prints it. */
import type { Command } from 'commander';
import { buildProgram } from './program.ts';

const HELP_WIDTH = 100;

const withInner = (command: Command, path: readonly string[]): readonly (readonly [string, Command])[] => [
  [[...path, command.name()].join(' '), command],
  ...command.commands.flatMap(inner => withInner(inner, [...path, command.name()])),
];

export function cliReference(): string {
  const program = buildProgram(command => command);
  const chapters = withInner(program, []).map(([name, command]) => {
    command.configureHelp({ helpWidth: HELP_WIDTH });
    return `## \`${name}\`\n\n\`\`\`\n${command.helpInformation().trimEnd()}\n\`\`\`\n`;
  });
  const note = '<!-- Generated from src/cli by `node scripts/generate-docs.ts`; changes made here are lost. -->';
  return `# Command line\n\n${note}\n\n${chapters.join('\n')}`;
}
