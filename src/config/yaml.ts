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

export function parseYaml(file: string, text: string): SyntaxTree {
  const refuse = (problem: string, place: Place = { file }): SyntaxTree => ({
    ok: false,
    problems: [problemAt(place, [], problem)],
  });
  // A byte order mark would move every column of the first line.
  const content = text.replace(/^\uFEFF/, '');
  if (content.trim() === '') return refuse(`is empty: ${WHAT_TO_WRITE}`);

  const lineCounter = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const placeOf = (node: Node): Place => at(node.range?.[0] ?? 0);
  // Keys named twice are ours to tell, with both lines; the parser's own pretty errors quote the file.
  const options = { lineCounter, prettyErrors: false, uniqueKeys: false, stringKeys: true, logLevel: 'error' } as const;
  const document = parseDocument(content, options);
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

// What follows the first error of a line is mostly its echo.
const firstOfEachLine = (problems: readonly ConfigProblem[]): readonly ConfigProblem[] =>
  problems.filter((problem, index) => problems.findIndex(({ line }) => line === problem.line) === index);
