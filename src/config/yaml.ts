/** YAML text → a syntax tree with lines and columns, or everything that keeps it from being a mapping. */
import { isMap, isSeq, LineCounter, type Node, parseDocument, type YAMLMap, type Document as YamlDocument } from 'yaml';
import { type ConfigProblem, type Place, problemAt } from './problems.ts';
import { describeSyntaxError } from './syntax-errors.ts';

export type SyntaxTree =
  | {
      readonly ok: true;
      readonly root: YAMLMap;
      readonly document: YamlDocument;
      readonly placeOf: (node: Node) => Place;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

const WHAT_TO_WRITE = 'write tables: or views:, or remove the file to use the bundled policy';
export const TOO_LARGE = 'holds more values, or deeper ones, than a configuration can: use fewer aliases and levels';

export function parseYaml(file: string, text: string): SyntaxTree {
  const refuse = (problem: string, place: Place = { file }): SyntaxTree => ({
    ok: false,
    problems: [problemAt(place, [], problem)],
  });
  // A byte order mark would move every column of the first line.
  const content = text.replace(/^\uFEFF/, '');
  if (content.trim() === '') return refuse(`is empty: ${WHAT_TO_WRITE}`);

  const lineCounter = new LineCounter();
  const placeOf = (node: Node): Place => at(node.range?.[0] ?? 0);
  const at = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const document = parsed(content, lineCounter);
  if (document === undefined) return refuse(TOO_LARGE);
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) {
    const lines = content.split('\n');
    const problems = errors.map(({ code, pos }) => {
      const place = at(pos[0]);
      return problemAt(place, [], describeSyntaxError(code, lines[(place.line ?? 1) - 1] ?? ''));
    });
    return { ok: false, problems: firstOfEachLine(problems) };
  }
  const root = document.contents;
  if (root === null) return refuse(`holds only comments: ${WHAT_TO_WRITE}`);
  if (isMap(root)) return { ok: true, root, document, placeOf };
  return refuse(`is ${isSeq(root) ? 'a list' : 'a single value'}, not a set of keys: ${WHAT_TO_WRITE}`, placeOf(root));
}

// The parser recurses: brackets nested thousands deep end its stack.
function parsed(content: string, lineCounter: LineCounter): YamlDocument | undefined {
  try {
    return parseDocument(content, {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      stringKeys: true,
      logLevel: 'error',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

// What follows the first error of a line is mostly its echo.
const firstOfEachLine = (problems: readonly ConfigProblem[]): readonly ConfigProblem[] =>
  problems.filter((problem, index) => problems.findIndex(({ line }) => line === problem.line) === index);
