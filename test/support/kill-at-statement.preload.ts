/**
 * Loaded before the command line by `node --import`: counts the statements that the driver is given, writes each down, and at
 * the one that was asked for does what `Fault` says. Nothing in `src` knows of it.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { statements } from '../../src/executor/statements.ts';
import { type Fault, UNRELATED_EXIT_CODE, VARIABLES } from './kill-at-statement.ts';

type Send = () => Promise<unknown>;
type Query = (this: Client, ...args: unknown[]) => Promise<unknown>;

const TERMINATE = fileURLToPath(new URL('./terminate-backend.ts', import.meta.url));

const faults: { readonly [F in Fault]: (client: Client, send: Send) => Promise<unknown> } = {
  before: () => die(),
  sent(client, send) {
    const answer = send();
    // Behind the statement in the stream, so it is called once the statement has gone to the kernel.
    streamOf(client).write('', die);
    return answer;
  },
  done: (_client, send) => send().then(die, die),
  async noticed(client, send) {
    const ended = new Promise(resolve => client.once('end', resolve));
    terminateBackendOf(client);
    await ended;
    return send();
  },
  unnoticed(client, send) {
    terminateBackendOf(client);
    return send();
  },
};

const [at, fault] = (process.env[VARIABLES.fault] ?? '').split(':');
const record = process.env[VARIABLES.record];
const query = Client.prototype.query as Query;
let count = 0;

Object.assign(Client.prototype, {
  query(this: Client, ...args: unknown[]): Promise<unknown> {
    const send: Send = () => query.apply(this, args);
    const text = textOf(args[0]);
    // When something takes long, a watcher takes a session and looks: whether, and how often, depends on the machine.
    if (text === statements.giveWay || text.includes('pg_catalog.set_config(s.name')) return send();
    count += 1;
    if (record !== undefined) appendFileSync(record, `${JSON.stringify(text)}\n`);
    return count === Number(at) && isFault(fault) ? faults[fault](this, send) : send();
  },
});

function isFault(word: string | undefined): word is Fault {
  return word !== undefined && Object.hasOwn(faults, word);
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('the process has outlived SIGKILL');
}

/** From a process of its own while this one stands still: nothing here can notice before it is all over. */
function terminateBackendOf(client: Client): void {
  const pid = String(Reflect.get(client, 'processID'));
  const { status, stderr } = spawnSync(process.execPath, [TERMINATE, pid], { encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(stderr);
  process.exit(UNRELATED_EXIT_CODE);
}

function textOf(config: unknown): string {
  const text: unknown = typeof config === 'object' && config !== null ? Reflect.get(config, 'text') : config;
  if (typeof text !== 'string') throw new TypeError('a statement without a text');
  return text;
}

function streamOf(client: Client): NodeJS.WritableStream {
  return Reflect.get(Object(Reflect.get(client, 'connection')), 'stream') as NodeJS.WritableStream;
}
