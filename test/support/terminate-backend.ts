/** `node terminate-backend.ts <pid>`: ends a backend of the server in DATABASE_URL, and returns when it is gone. */
import { Client } from 'pg';

const client = new Client({
  connectionString: process.env.DATABASE_URL,
  application_name: 'partkeeper test terminator',
  connectionTimeoutMillis: 10_000,
});
await client.connect();
try {
  const { rows } = await client.query<{ gone: boolean }>('select pg_terminate_backend($1, 10000) as gone', [
    Number(process.argv[2]),
  ]);
  if (rows[0]?.gone !== true) throw new Error(`backend ${process.argv[2]} is still there`);
} finally {
  await client.end();
}
