/** HTML as a type of its own: whatever is not it is text, and text is escaped. Names of tables come from strangers. */
import { printable } from '../report/figures.ts';

export interface Html {
  readonly markup: string;
}

export type Fragment = Html | string | number | null | undefined | readonly Fragment[];

export const html = (parts: TemplateStringsArray, ...values: readonly Fragment[]): Html => ({
  markup: parts.reduce((all, part, index) => `${all}${markupOf(values[index - 1])}${part}`),
});

const markupOf = (value: Fragment): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return escaped(printable(value));
  if (typeof value === 'number') return String(value);
  return 'markup' in value ? value.markup : value.map(markupOf).join('');
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Fit for text and for a quoted attribute. */
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, character => ENTITIES[character] ?? character);
