/** Triggers over HTTP, from the request to the run on record, on a service as it is started by people. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { daemonTest } from '../support/daemon.ts';
import { GATED_VIEWS, QUIET_VIEWS } from '../support/gate.ts';

const TOKEN = 'correct-horse-battery-staple-0123456789';
const test = daemonTest.extend('template', 'queue');

test('a request is a run of which the record says who asked, on a port of its own; tokens are rotated while it goes on', async ({
  cli,
  configure,
  daemon,
  database,
  folder,
}) => {
  await database.query(GATED_VIEWS);
  await configure(`${QUIET_VIEWS}triggers: { listen: '127.0.0.1:0', tokenFile: tokens }\n`);
  const file = join(folder, 'tokens');
  await writeFile(file, TOKEN);
  await chmod(file, 0o644);
  expect(await cli.run(['run'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining(`triggers.tokenFile: 'tokens' may be read or written by everybody`),
  });
  await chmod(file, 0o600);

  const service = await daemon();
  await service.ready(200);
  const address = String(service.log().find(line => String(line.address).endsWith('/trigger'))?.address);
  const post = (body: object, token: string) =>
    fetch(address, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  // The tick of the start may be under way, whose run is not the one that we ask for.
  const asked = await waitUntil(
    async () => {
      const response = await post(
        { job: 'refresh', target: 'app.second', requestedBy: 'ada', reason: 'after lunch' },
        TOKEN,
      );
      expect(response.status).toBe(202);
      const [run] = JSON.parse(await response.text()).triggered;
      return run.status === 'queued' ? String(run.runId) : undefined;
    },
    { deadlineMs: 60_000, what: 'a run of our own' },
  );
  const onRecord = () =>
    database.query(
      'select outcome, trigger, requested_by, reason from partkeeper.runs where run_id = $1 and outcome is not null',
      [asked],
    );
  await waitUntil(async () => (await onRecord()).length === 1, { deadlineMs: 60_000, what: 'the run' });
  expect(await onRecord()).toEqual([
    { outcome: 'success', trigger: 'manual', requested_by: 'http 127.0.0.1, for ada', reason: 'after lunch' },
  ]);

  expect((await service.get('/trigger')).code).toBe(404);
  await writeFile(file, `night:${TOKEN}-of-tonight\n`);
  expect((await post({ job: 'refresh' }, TOKEN)).status).toBe(401);
  expect((await post({ job: 'refresh' }, `${TOKEN}-of-tonight`)).status).toBe(202);
  await service.metric('partkeeper_http_requests_total{handler="trigger",code="401"}', value => value === 1);
  service.kill('SIGTERM');
  expect((await service.exited()).code).toBe(0);
  expect(service.log().filter(({ msg }) => msg === 'trigger refused')).toMatchObject([
    { level: 'warn', status: 401, address: '127.0.0.1', reason: 'the token is not accepted' },
  ]);
  expect(service.output()).not.toContain(TOKEN);
});
