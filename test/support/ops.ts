/** What is in ops/, as data. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const OPS = fileURLToPath(new URL('../../ops/', import.meta.url));
export const ALERTS_FILE = `${OPS}prometheus/alerts.yml`;

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
export interface Alert extends Rule {
  readonly alert: string;
}

export const readOps = (file: string): string => readFileSync(OPS + file, 'utf8');

export const rules: readonly Rule[] = (
  parse(readOps('prometheus/alerts.yml')) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
).groups.flatMap(group => group.rules);

export const alerts: readonly Alert[] = rules.flatMap(rule =>
  rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }],
);

export interface Panel {
  readonly id: number;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}
export interface Dashboard {
  readonly uid: string;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
  readonly panels: readonly Panel[];
}
export const dashboard = JSON.parse(readOps('grafana/partkeeper.json')) as Dashboard;
export const panels: readonly Panel[] = dashboard.panels.filter(({ type }) => type !== 'row');

/** A panel's expression as Grafana sends it, everything chosen. */
export const filledIn = (expression: string): string =>
  expression
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '6h')
    .replaceAll(/"\$(job|instance|target)"/g, '".+"');

/** The headings of a Markdown document, by the anchor that GitHub gives them. */
export const anchorsOf = (markdown: string): ReadonlyMap<string, string> => {
  const text = markdown.replaceAll(/^```[\s\S]*?^```/gm, '');
  return new Map(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => [
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
      heading,
    ]),
  );
};

/** What stands under each heading of the third level. */
export const chaptersOf = (markdown: string): ReadonlyMap<string, string> =>
  new Map(
    markdown
      .split(/^### /m)
      .slice(1)
      .map(chapter => {
        const [heading = '', ...lines] = chapter.split(/^## /m)[0]?.split('\n') ?? [];
        return [heading, lines.join('\n')];
      }),
  );
