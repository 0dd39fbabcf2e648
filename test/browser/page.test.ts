/** The status page in a real browser: what it shows, that it is whole, and who can use it. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { beforeAll, expect, onTestFinished } from 'vitest';
import { startHttp } from '../../src/http/server.ts';
import type { StatusDocument } from '../../src/status/document.ts';
import { complaintsOf, openBrowser, violationsOf } from '../support/browser.ts';
import { daemonTest } from '../support/daemon.ts';
import { aPartition, aTable, aTablePolicy, NOW, relation, someFacts } from '../support/facts.ts';
import { aStatus, statusOf } from '../support/status.ts';
import { aTroubledStatus } from '../support/troubled-status.ts';

interface Visit {
  readonly page: Page;
  readonly complaints: readonly string[];
}

const test = daemonTest.extend('template', 'schema');

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  return () => browser.close();
});

async function visit(address: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(address);
  return { page, complaints };
}

/** @returns the address of a server that answers with this status */
async function serve(status: () => StatusDocument): Promise<string> {
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    metrics: { contentType: 'text/plain', render: async () => '' },
    readiness: () => ({ ready: true, reasons: [] }),
    liveness: () => ({ alive: true, reasons: [] }),
    status,
    onRequest: () => {},
  });
  onTestFinished(() => server.close());
  return server.address;
}

const openEverything = (page: Page): Promise<unknown> =>
  page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');

const EVIL = '<img src=x onerror=alert(1)>';
const POLICY = `tables:
  unified.event_metric_events: { interval: month, retention: 90 days, retire: drop }
  'public."${EVIL}"': { interval: month, retention: forever }
views:
  unified.mv_recent_events: { schedule: '0 0 1 1 *' }
`;

test('a service shows the facts of its database, and names in it are text', async ({ daemon, configure, database }) => {
  await database.query(`create table public."${EVIL}" (id int, at timestamptz not null) partition by range (at)`);
  await configure(POLICY);
  const service = await daemon();
  await service.ready(200);
  // The last job of the first round.
  await service.written('"job":"analyze"');
  const { page, complaints } = await visit(service.address);
  expect(await page.title()).toBe('partkeeper');
  const text = await page.locator('body').innerText();
  expect(text).toContain(`database ${database.name} on PostgreSQL 17`);
  expect(text).toContain(`public."${EVIL}"`);
  expect(text).toContain('monthly by event_timestamp · 2 ahead · kept 90 days, then dropped · UTC');
  expect(await page.locator('#h-tables').innerText()).toBe('Tables 4');
  const line = page.locator('.timeline').first();
  expect(await line.getAttribute('aria-label')).toMatch(
    /^unified\.event_metric_events, partitions on a line of time: 1 current, 2 future; retention line at 20/,
  );
  expect(await line.locator('.part.future title').allInnerTexts()).toHaveLength(2);
  expect(await page.locator('#views .row').innerText()).toMatch(/unified\.mv_recent_events[\s\S]*fresh/);
  expect(await page.locator('#recent').innerText()).toMatch(/create partition public\."<img/);
  expect(await page.locator('img').count()).toBe(0);
  expect(complaints).toEqual([]);
});

test.for([
  ['when all is well', aStatus],
  ['in trouble', aTroubledStatus],
] as const)('%s, everybody can use it, in the light and in the dark', async ([, status]) => {
  const { page, complaints } = await visit(await serve(status), { colorScheme: 'light' });
  await openEverything(page);
  expect(await violationsOf(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await violationsOf(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('every state of a partition has a look of its own, and a word', async () => {
  const { page } = await visit(await serve(aTroubledStatus));
  const legend = await page.locator('.legend').innerText();
  for (const word of ['expired', 'past', 'current', 'future', 'to be created', 'gap', 'detach pending', 'detached'])
    expect(legend).toContain(word);
  const looks = await page.evaluate<string[]>(
    `[...document.querySelectorAll('.legend .part')].map(each => {
      const { fill, strokeDasharray } = getComputedStyle(each);
      return fill + ' ' + strokeDasharray;
    })`,
  );
  expect(new Set(looks).size).toBe(looks.length);
});

test('from 320 pixels on, nothing is wider than the page', async () => {
  const { page } = await visit(await serve(aTroubledStatus));
  await openEverything(page);
  for (const width of [320, 375, 641, 1_280]) {
    await page.setViewportSize({ width, height: 700 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  }
});

test('a thousand partitions in each of three tables are shown', async () => {
  const midnight = NOW.round({ smallestUnit: 'hour', roundingIncrement: 24, roundingMode: 'floor' });
  const day = (index: number): string => midnight.subtract({ hours: 24 * (997 - index) }).toString();
  const tables = ['app.a', 'app.b', 'app.c'].map((name, oid) =>
    aTable({
      oid,
      relation: relation(name),
      partitions: Array.from({ length: 1_000 }, (_, index) => aPartition(day(index), day(index + 1))),
    }),
  );
  const status = statusOf({
    facts: someFacts({ tables }),
    policies: { tables: tables.map(table => aTablePolicy({ relation: table.relation, interval: 'day' })), views: [] },
  });
  const { page, complaints } = await visit(await serve(() => status));
  expect(await page.locator('details summary', { hasText: '1,000 partitions, newest first' }).count()).toBe(3);
  expect(await page.locator('.timeline').count()).toBe(3);
  expect(complaints).toEqual([]);
});

test('without scripts it shows the same', async () => {
  const { page, complaints } = await visit(await serve(aTroubledStatus), { javaScriptEnabled: false });
  expect(await page.locator('#tables .timeline').count()).toBe(1);
  expect(await page.locator('#pause').isVisible()).toBe(false);
  expect(complaints).toEqual([]);
});

test('it keeps itself up to date, keeps open what is open, stops on request, and says when nobody answers', async () => {
  let version = 1;
  const address = await serve(() => ({ ...aStatus(), version: String(version), notReadyBecause: `reason ${version}` }));
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.clock.install();
  await page.goto(address);
  await page.locator('summary').first().click();
  await page.locator('summary').first().focus();

  version = 2;
  await page.clock.runFor(15_000);
  await page.getByText('reason 2').waitFor();
  expect(await page.locator('details[open]').count()).toBe(1);
  expect(await page.evaluate('document.activeElement.tagName')).toBe('SUMMARY');

  await page.getByRole('button', { name: 'Pause updates' }).click();
  version = 3;
  await page.clock.runFor(60_000);
  expect(await page.getByText('reason 2').count()).toBe(1);
  await page.getByRole('button', { name: 'Resume updates' }).click();
  await page.getByText('reason 3').waitFor();

  await page.route('**', route => route.abort());
  await page.clock.runFor(15_000);
  await page.getByText('The service does not answer').waitFor();
  await page.unroute('**');
  await page.clock.runFor(15_000);
  await page.getByText('The service does not answer').waitFor({ state: 'hidden' });
});
