/** YAML text → plain values that remember where they were written. */
import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import type { Keys } from './keys.ts';
import { type ConfigProblem, type Path, type Place, problemAt } from './problems.ts';
import type { Substituted } from './substitute.ts';
import { parseYaml, type SyntaxTree } from './yaml.ts';

export interface ConfigDocument {
  /** Undefined when the text is no mapping. Objects have no prototype: `__proto__` is a key like any other. */
  readonly value: Keys | undefined;
  readonly problems: readonly ConfigProblem[];
  /** Where the value is; for one that is not there, where the nearest thing around it is. */
  placeOf(path: Path): Place;
  placeOfKey(path: Path): Place;
  /** A scalar as it was written, before `${…}` was replaced. */
  written(path: Path): Written | undefined;
}

export interface Written {
  readonly source: string;
  readonly isSubstituted: boolean;
}

/** What becomes of a text; undefined leaves its key out. */
export type Substitution = (text: string, path: Path) => Substituted | undefined;

// Far above any real configuration, and far below what would keep a process busy: aliases multiply.
const MAX_NODES = 20_000;
const MAX_DEPTH = 20;

const TOO_LARGE = 'holds more values, or deeper ones, than a configuration can: use fewer aliases and levels';

class TooLarge extends Error {}

class PathMap<T> {
  readonly #entries = new Map<string, T>();
  get = (path: Path): T | undefined => this.#entries.get(JSON.stringify(path));
  set = (path: Path, value: T): void => void this.#entries.set(JSON.stringify(path), value);
}

export function readDocument(file: string, text: string, substitution: Substitution): ConfigDocument {
  const values = new PathMap<Place>();
  const keys = new PathMap<Place>();
  const sources = new PathMap<Written>();
  const tree = parseYaml(file, text);
  const problems: ConfigProblem[] = tree.ok ? [] : [...tree.problems];

  const placeOfKey = (path: Path): Place => keys.get(path) ?? placeOf(path);
  const placeOf = (path: Path): Place =>
    values.get(path) ?? (path.length === 0 ? { file } : placeOfKey(path.slice(0, -1)));

  return {
    value: tree.ok ? readTree(tree) : undefined,
    problems,
    placeOf,
    placeOfKey,
    written: sources.get,
  };

  function readTree({ root, document, placeOf: placeOfNode }: Extract<SyntaxTree, { ok: true }>) {
    let nodes = 0;
    const refuse = (node: Node, path: Path, problem: string): undefined => {
      problems.push(problemAt(placeOfNode(node), path, problem));
    };

    const readScalar = (node: Scalar, path: Path): unknown => {
      if (typeof node.value !== 'string') {
        sources.set(path, { source: node.source ?? String(node.value), isSubstituted: false });
        return node.value;
      }
      const result = substitution(node.value, path);
      if (result === undefined) return undefined;
      if (!result.ok) return refuse(node, path, result.problem);
      sources.set(path, { source: node.value, isSubstituted: result.changed });
      return result.value;
    };

    const readMap = ({ items }: YAMLMap, path: Path): Keys => {
      const object: Record<string, unknown> = Object.create(null);
      for (const { key, value } of items) {
        if (!isScalar(key)) continue; // the parser has refused it
        const inner = [...path, String(key.value)];
        const first = keys.get(inner);
        if (first !== undefined) {
          refuse(key, inner, namedTwice(first));
          continue;
        }
        keys.set(inner, placeOfNode(key));
        const content = read(value, inner);
        if (content !== undefined) object[String(key.value)] = content;
      }
      return object;
    };

    const read = (node: unknown, path: Path): unknown => {
      if (!isNode(node)) return null;
      nodes += 1;
      if (nodes > MAX_NODES || path.length > MAX_DEPTH) throw new TooLarge();
      if (values.get(path) === undefined) values.set(path, placeOfNode(node));
      if (isAlias(node)) {
        const target = node.resolve(document);
        return target
          ? read(target, path)
          : refuse(node, path, `refers to the anchor '${node.source}', which is not there`);
      }
      if (isScalar(node)) return readScalar(node, path);
      if (isSeq(node)) return node.items.map((item, index) => read(item, [...path, index]));
      if (isMap(node)) return readMap(node, path);
      return refuse(node, path, 'is of a kind that is not known here');
    };

    try {
      return readMap(root, []);
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      problems.push(problemAt({ file }, [], TOO_LARGE));
      return undefined;
    }
  }
}

/** For the second of two equal keys. */
export const namedTwice = ({ line }: Place): string =>
  `is named twice${line === undefined ? '' : `, first in line ${line}`}: use one of the two`;
