/** `${VAR}` and `${VAR:-default}` in the values of the file. It works on parsed scalars, so no value can become YAML. */
import { variableOf } from './environment.ts';

export type Substituted =
  | { readonly ok: true; readonly value: string | number | boolean; readonly changed: boolean }
  | { readonly ok: false; readonly problem: string };

const PLACEHOLDER = /\$\$\{|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}|\$\{/g;

/**
 * As in a shell, the default also stands in for a variable that is set to nothing, and `$${` is a plain `${`.
 *
 * A scalar that is one placeholder and nothing else becomes a number or a boolean where its value reads as one.
 */
export function substitute(text: string, env: Readonly<Record<string, string | undefined>>): Substituted {
  const problems: string[] = [];
  let changed = false;
  const value = text.replaceAll(PLACEHOLDER, (match, name?: string, fallback?: string) => {
    if (match === '$${') return '${';
    if (name === undefined) {
      problems.push('has a ${ that names no variable: write ${NAME}, ${NAME:-default}, or $${ for a plain ${');
      return '';
    }
    changed = true;
    const found = fallback === undefined ? env[name] : (variableOf(env, name) ?? fallback);
    if (found === undefined)
      problems.push(
        `needs the environment variable ${name}, which is not set: write \${${name}:-default} for a default`,
      );
    return found ?? '';
  });
  const [problem] = problems;
  if (problem !== undefined) return { ok: false, problem };
  const isWhole = changed && /^\$\{[^}]*\}$/.test(text);
  return { ok: true, value: isWhole ? asScalar(value) : value, changed };
}

function asScalar(value: string): string | number | boolean {
  if (/^-?\d+(?:\.\d+)?$/.test(value)) return Number(value);
  return value === 'true' ? true : value === 'false' ? false : value;
}
