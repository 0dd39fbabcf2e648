/** Who may ask over HTTP: the tokens of a file, one a line, each with a name where it has one. */
import type { Parsed } from '../domain/duration.ts';
import { MaintenanceError } from '../domain/errors.ts';
import { type Surroundings, whyUnreadable } from './environment.ts';

export interface Token {
  /** For the record; never secret. */
  readonly name: string | undefined;
  readonly secret: string;
}

export const TOKEN_CHARACTERS = { least: 32, most: 512 } as const;
const MANY_TOKENS = 20;

// RFC 6750 allows these in a header; a colon is not among them, so it can end a name.
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;
const MAKE_ONE = "make one with 'openssl rand -hex 32'";

/** Lines that are empty, or begin with #, do not count. No problem repeats any part of the text. */
export function parseTokens(text: string): Parsed<readonly Token[]> {
  const tokens: Token[] = [];
  for (const [index, whole] of text.split('\n').entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const name = colon < 0 ? undefined : line.slice(0, colon);
    const secret = line.slice(colon + 1).trim();
    const refuse = (problem: string) => ({ ok: false, problem: `has in line ${index + 1} ${problem}` }) as const;
    if (name !== undefined && !NAME.test(name))
      return refuse('a name that is none: write letters, digits, _ and -, 40 at most');
    if (secret.length < TOKEN_CHARACTERS.least)
      return refuse(`a token of less than ${TOKEN_CHARACTERS.least} characters: ${MAKE_ONE}`);
    if (secret.length > TOKEN_CHARACTERS.most || !TOKEN.test(secret))
      return refuse(`what cannot be a token: ${MAKE_ONE}`);
    tokens.push({ name, secret });
  }
  if (tokens.length === 0) return { ok: false, problem: `has no token in it: ${MAKE_ONE}` };
  if (tokens.length > MANY_TOKENS)
    return { ok: false, problem: `has more than ${MANY_TOKENS} tokens: remove those that nobody uses` };
  return { ok: true, value: tokens };
}

const FOR_EVERYBODY = 0o006;

/** What is in the file now. Somebody else on the machine must not be able to read it, or to put a token of theirs there. */
export function readTokens(
  file: string,
  { readFile, modeOf }: Pick<Surroundings, 'readFile' | 'modeOf'>,
): Parsed<readonly Token[]> {
  try {
    const mode = modeOf(file);
    if (mode !== undefined && (mode & FOR_EVERYBODY) !== 0)
      return {
        ok: false,
        problem: `may be read or written by everybody on this machine (mode ${(mode & 0o777).toString(8).padStart(3, '0')}): use 'chmod o= ${file}'`,
      };
    return parseTokens(readFile(file));
  } catch (error) {
    return { ok: false, problem: whyUnreadable(error) };
  }
}

/**
 * Reads the file again whenever it is asked, so that tokens can be rotated.
 *
 * @throws MaintenanceError CONFIG_INVALID when it does not hold what it should any more
 */
export const rereadingTokens =
  (file: string, surroundings: Pick<Surroundings, 'readFile' | 'modeOf'>) => (): readonly Token[] => {
    const read = readTokens(file, surroundings);
    if (read.ok) return read.value;
    throw new MaintenanceError('CONFIG_INVALID', `triggers.tokenFile: '${file}' ${read.problem}`);
  };
