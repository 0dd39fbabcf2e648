/** The table of panels → a dashboard as Grafana imports it. */
import { type PanelSpec, ROWS, type RowSpec } from './panels.ts';

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = 24;
const SIZES: { readonly [K in PanelSpec['type']]: { readonly w: number; readonly h: number } } = {
  stat: { w: 4, h: 4 },
  timeseries: { w: 8, h: 8 },
  table: { w: 12, h: 8 },
};

export function grafanaDashboard(): object {
  return {
    uid: 'partkeeper',
    title: 'partkeeper',
    description: 'Generated from scripts/dashboard by `node scripts/generate-docs.ts`; changes made here are lost.',
    tags: ['partkeeper', 'postgresql'],
    schemaVersion: 38,
    editable: true,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-7d', to: 'now' },
    timezone: '',
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 },
        variable('job', 'Job', 'label_values(partkeeper_build_info, job)'),
        variable('instance', 'Instance', 'label_values(partkeeper_build_info{job=~"$job"}, instance)'),
        variable('target', 'Target', 'label_values(partkeeper_target_info{job=~"$job"}, target)'),
      ],
    },
    annotations: { list: [] },
    panels: laidOut(ROWS),
  };
}

const variable = (name: string, label: string, query: string): object => ({
  name,
  label,
  type: 'query',
  datasource: DATASOURCE,
  query: { query, refId: name },
  definition: query,
  // When the time range changes: targets come and go.
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: '.+',
  current: { text: ['All'], value: ['$__all'] },
});

/** Row by row, from left to right, as many as go beside each other. */
function laidOut(rows: readonly RowSpec[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
    });
    y += 1;
    let [x, height] = [0, 0];
    for (const spec of row.panels) {
      const { w, h } = SIZES[spec.type];
      if (x + w > WIDTH) [x, y, height] = [0, y + height, 0];
      panels.push(panelOf(spec, panels.length + 1, { x, y, w, h }));
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

const panelOf = (spec: PanelSpec, id: number, gridPos: object): object => ({
  id,
  type: spec.type,
  title: spec.title,
  description: spec.description,
  datasource: DATASOURCE,
  gridPos,
  fieldConfig: {
    defaults: {
      unit: spec.unit,
      ...(spec.bad ? { thresholds: thresholdsOf(spec.bad), color: { mode: 'thresholds' } } : {}),
      ...(spec.type === 'timeseries' ? { custom: customOf(spec) } : {}),
      ...(spec.unit === 'percentunit' || spec.unit === 'bytes' || spec.unit === 'short' ? { min: 0 } : {}),
    },
    overrides: spec.type === 'timeseries' ? [DASHED] : [],
  },
  options: OPTIONS[spec.type],
  targets: spec.curves.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
    ...(spec.type === 'timeseries' ? { range: true } : { instant: true }),
    ...(spec.type === 'table' ? { format: 'table' } : {}),
  })),
  ...(spec.type === 'table'
    ? { transformations: [{ id: 'organize', options: { excludeByName: { Time: true, Value: true, __name__: true } } }] }
    : {}),
});

const customOf = ({ isStacked = false }: PanelSpec): object => ({
  drawStyle: 'line',
  lineWidth: 1,
  fillOpacity: isStacked ? 30 : 0,
  showPoints: 'never',
  stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
});

/** What is wanted, beside what is. */
const DASHED = {
  matcher: { id: 'byRegexp', options: '/ (wanted|schedule)$/' },
  properties: [{ id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } }],
};

function thresholdsOf({ yellow, red }: { readonly yellow: number; readonly red: number }): object {
  const isLessWorse = red < yellow;
  const steps = isLessWorse
    ? [
        { color: 'red', value: null },
        ...(yellow > red + 1 ? [{ color: 'yellow', value: red }] : []),
        { color: 'green', value: yellow },
      ]
    : [
        { color: 'green', value: null },
        ...(red > yellow ? [{ color: 'yellow', value: yellow }] : []),
        { color: 'red', value: red },
      ];
  return { mode: 'absolute', steps };
}

const OPTIONS: { readonly [K in PanelSpec['type']]: object } = {
  stat: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background', graphMode: 'none' },
  timeseries: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  table: { showHeader: true, cellHeight: 'sm' },
};
