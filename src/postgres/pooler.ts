/**
 * Is there a transaction pooler between us and the server? Behind one, what we set for a session leaks to others, and a lock
 * of a session protects nothing: two clients get the same one.
 */
import { Client, type ClientConfig } from 'pg';
import { MaintenanceError } from '../domain/errors.ts';

/** A pooler answers a connection with a process id of its own making. */
export const isBehindPooler = (client: object, backendPid: number): boolean =>
  Reflect.get(client, 'processID') !== backendPid;

/** So many looks, because another client may have had the backend just then. */
const LOOKS = 5;

/**
 * Two idle connections that get the same backend are the proof; a pooler of sessions gives each its own and is none the
 * worse for us.
 *
 * @throws MaintenanceError TRANSACTION_POOLER
 */
export async function refuseTransactionPooler(config: ClientConfig, address: string): Promise<void> {
  // A network that swallows packets lets no question end by itself.
  const patient = { ...config, query_timeout: config.connectionTimeoutMillis };
  const clients = [new Client(patient), new Client(patient)] as const;
  for (const client of clients) client.on('error', () => {});
  try {
    for (const client of clients) await client.connect();
    for (let look = 0; look < LOOKS; look += 1) {
      const pids = [];
      for (const client of clients) pids.push(await askBackendPid(client));
      if (pids[0] === pids[1]) throw refusal(address);
    }
  } finally {
    await Promise.allSettled(clients.map(client => client.end()));
  }
}

async function askBackendPid(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
  return rows[0]?.pid;
}

const refusal = (address: string): MaintenanceError =>
  new MaintenanceError(
    'TRANSACTION_POOLER',
    `${address} is a transaction pooler: locks and settings of a session do not hold there, so nothing can be done safely`,
    {
      hint: 'Set database.directUrl (DATABASE_DIRECT_URL) to the server itself; the queue may then go on through the pooler.',
    },
  );
