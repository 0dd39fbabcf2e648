/** The command line as documents speak of it. */
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.ts';

/** Every command of ours in a Markdown document, in blocks of shell and between backquotes. */
export const commandsIn = (markdown: string): readonly string[] => [
  ...new Set(
    [
      ...[...markdown.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n')),
      ...[...markdown.matchAll(/`(partkeeper [^`]+)`/g)].map(([, line = '']) => line.replaceAll(/\s+/g, ' ')),
    ].filter(line => line.startsWith('partkeeper ')),
  ),
];

const program = buildProgram(command => command);

/** What is wrong with a command line, without running it; undefined: it can be typed like that. */
export function faultOf(line: string): string | undefined {
  const words = line.replace(/ #.*/, '').trim().split(/\s+/).slice(1);
  let command: Command = program;
  while (command.commands.length > 0) {
    const inner = command.commands.find(each => each.name() === words[0]);
    if (inner === undefined)
      return words[0] === undefined || command !== program ? undefined : `no command ${words[0]}`;
    command = inner;
    words.shift();
  }
  const plain: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('--')) {
      plain.push(word);
      continue;
    }
    const option = command.options.find(({ long }) => long === word);
    if (option === undefined) return `${command.name()} has no ${word}`;
    const value = option.required ? words.shift() : undefined;
    if (option.required && value === undefined) return `${word} wants a value`;
    if (value !== undefined && option.argChoices?.includes(value) === false) return `${word} cannot be ${value}`;
  }
  return plain.length > command.registeredArguments.length ? `${command.name()} takes no ${plain.at(-1)}` : undefined;
}
