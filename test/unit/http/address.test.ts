import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { start } from './started.ts';

describe('the address', () => {
  test('tells the port that was found', async () => {
    const { address, port } = await start();
    expect(port).toBeGreaterThan(0);
    expect(address).toBe(`http://127.0.0.1:${port}`);
  });

  test('of IPv6 is in brackets', async context => {
    const server = await start({ host: '::1' }).catch(() => context.skip('this machine has no IPv6'));
    expect(server.address).toBe(`http://[::1]:${server.port}`);
    expect((await fetch(`${server.address}/livez`)).status).toBe(200);
  });

  test('that is taken is a fault of the configuration, and the hint names the key', async () => {
    const { port } = await start();
    const error = await start({ port }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MaintenanceError);
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `cannot listen on 127.0.0.1:${port}: another process listens there`,
      hint: expect.stringContaining('http.listen'),
    });
  });

  test.each(['192.0.2.1', 'no-such-host.invalid'])(
    '%s, which this machine does not have, is one as well',
    async host => {
      await expect(start({ host })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    },
  );
});
