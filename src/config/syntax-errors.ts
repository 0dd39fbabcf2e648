/** The YAML parser's errors for people. Its own messages quote the file, and a file may hold secrets. */
import type { YAMLError } from 'yaml';

type SyntaxCode = YAMLError['code'];

const QUOTES = "write values with { } [ ] , # & * ! | > @ ` or ': ' in quotes";

const DESCRIPTIONS: { readonly [K in SyntaxCode]: string } = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag',
  BAD_ALIAS: 'an alias or anchor has no proper name',
  BAD_COLLECTION_TYPE: 'a tag does not fit what it stands before',
  BAD_DIRECTIVE: 'a line that starts with % is no YAML directive',
  BAD_DQ_ESCAPE: "a backslash in double quotes stands before the wrong character: use single quotes, '…'",
  BAD_INDENT: 'the indentation does not fit the lines around it, or a bracket is left open',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: `a value starts with a character that YAML reserves: ${QUOTES}`,
  BLOCK_AS_IMPLICIT_KEY: `a key, or ': ', stands where a value goes on: write one key a line, indented alike, and values with ': ' in quotes`,
  BLOCK_IN_FLOW: 'an indented block stands inside { } or [ ]',
  DUPLICATE_KEY: 'a key is named twice',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'a key is too long',
  MISSING_CHAR: 'a closing quote, bracket or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes on over the end of its line, or lacks its colon',
  MULTIPLE_ANCHORS: 'a value has two anchors',
  MULTIPLE_DOCS: 'a second document starts here: write one document a file',
  MULTIPLE_TAGS: 'a value has two tags',
  NON_STRING_KEY: 'a key is not plain text: write it in quotes',
  RESOURCE_EXHAUSTION: 'the file is nested too deeply',
  TAB_AS_INDENT: 'a tab is used for indentation: use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!…) is not known here: write the plain value',
  UNEXPECTED_TOKEN: `something stands where YAML expects the end of a value: ${QUOTES}`,
};

/** `line` is looked at for the mistake that the example of every other tool invites. */
export const describeSyntaxError = (code: SyntaxCode, line: string): string =>
  code === 'UNEXPECTED_TOKEN' && line.includes('${')
    ? "inside { } a value with ${…} needs quotes: write '${NAME}', with the quotes"
    : DESCRIPTIONS[code];
