/** What the server says besides results: at the level of debug1, whether it searches a table or takes a constraint's word. */
import { Client } from 'pg';
import { vi } from 'vitest';

/** The address for sessions to which the server says everything. */
export function sayingAll(url: string): string {
  const saying = new URL(url);
  saying.searchParams.set('options', '-c client_min_messages=debug1');
  return saying.href;
}

const emit = Client.prototype.emit;

/** What the server said to any session of this process meanwhile. */
export async function saidDuring<T>(work: () => Promise<T>): Promise<{ value: T; said: readonly string[] }> {
  const said: string[] = [];
  const spy = vi.spyOn(Client.prototype, 'emit').mockImplementation(function (
    this: Client,
    event: string | symbol,
    ...rest: unknown[]
  ): boolean {
    const [notice] = rest;
    if (event === 'notice' && notice instanceof Object) said.push(String(Reflect.get(notice, 'message')));
    return Reflect.apply(emit, this, [event, ...rest]);
  });
  try {
    return { value: await work(), said };
  } finally {
    spy.mockRestore();
  }
}
