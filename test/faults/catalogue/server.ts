/** The server and the network between. */
import { error, type Fault, type FaultNumber, found, log, metric, skipped } from './fault.ts';

export const SERVER_FAULTS = {
  F01: {
    title: 'The server crashes during a concurrent detach',
    happens:
      'The detach is pending after the restart: the rows are not seen through the table, and no sibling can be detached.',
    holds:
      'The run fails and says so. The next one finishes that detach before anything else, from the intent in the ledger.',
    seen: [
      error('CONNECTION_LOST'),
      metric('partkeeper_database_up', '0'),
      metric('partkeeper_partitions', 'state="detach_pending"'),
    ],
    tests: ['faults/server-stops.test.ts'],
  },
  F02: {
    title: 'The server is stopped in the middle of a statement',
    happens: 'The transaction is rolled back and the connection ends.',
    holds: 'The run fails, leaves nothing half done, and the next one does the rest.',
    seen: [error('CONNECTION_LOST'), log('run finished'), log('run interrupted')],
    tests: ['faults/server-stops.test.ts', 'e2e/daemon-outages.test.ts'],
  },
  F03: {
    title: 'The server is starting or stopping',
    happens: 'Every connection is refused with 57P03.',
    holds: 'The service stays, is not ready, and asks again at growing, jittered intervals.',
    seen: [error('CONNECTION_FAILED'), log('observation failed'), log('readiness changed')],
    tests: ['faults/server-stops.test.ts', 'e2e/daemon-outages.test.ts'],
  },
  F04: {
    title: 'The database is down when the service starts',
    happens: 'There is nobody to connect to.',
    holds: 'The service listens, is alive and not ready, and waits for as long as it takes.',
    seen: [metric('partkeeper_database_up', '0'), metric('partkeeper_ready', '0'), log('observation failed')],
    tests: ['e2e/daemon-outages.test.ts'],
  },
  F05: {
    title: 'The address leads to a standby',
    happens: 'Locks succeed there, and every change is refused with 25006.',
    holds: 'Nothing is tried while the server is in recovery; work goes on once it is promoted.',
    seen: [found('READ_ONLY'), skipped('read-only'), metric('partkeeper_database_writable', '0')],
    tests: ['e2e/daemon-outages.test.ts'],
  },
  F06: {
    title: 'Two servers both take themselves for the primary',
    happens:
      'A lock on one says nothing about the other, and an address moves from one to the other in the middle of a run.',
    holds: 'Each server is kept in order by what its own catalog and ledger say; a drop that was done already is none.',
    seen: [error('STALE_PLAN'), log('action failed')],
    tests: ['faults/server-stops.test.ts'],
    untested: 'That only one of the two is written to: fencing is for who fails over.',
  },
  F07: {
    title: 'The network swallows everything in the middle of a statement',
    happens: 'No answer comes, and no error either; the server’s timeouts do not help.',
    holds:
      'Our own clock ends the wait, whatever was being asked; the connection is destroyed, and the next run makes a new one.',
    seen: [error('CONNECTION_LOST'), metric('partkeeper_database_up', '0')],
    tests: ['faults/network.test.ts'],
  },
  F08: {
    title: 'The network swallows an attempt to connect',
    happens: 'The connection is accepted and nobody speaks.',
    holds: 'It is given up after `connectTimeout`.',
    seen: [error('CONNECTION_FAILED'), log('observation failed')],
    tests: ['faults/network.test.ts', 'db/connecting.test.ts'],
  },
  F09: {
    title: 'Connections are reset, in use or idle',
    happens: 'A reset arrives instead of an answer, or while nobody asks.',
    holds:
      'The process lives on. Idle connections are replaced unnoticed; what was done and not answered is not done twice.',
    seen: [error('CONNECTION_LOST'), log('action failed')],
    tests: ['faults/network.test.ts', 'faults/every-statement.test.ts', 'db/connections.test.ts'],
  },
  F10: {
    title: 'The machine that runs it vanishes, with the lock of a run or in the middle of a transaction',
    happens: 'No FIN arrives, and the server would keep session and locks for two hours.',
    holds: 'The server was asked to look after every connection of ours, and gives them up within about 11 s.',
    seen: [skipped('within-retention'), metric('partkeeper_runs_total', 'outcome="skipped"')],
    tests: ['faults/vanishing.test.ts'],
  },
  F11: {
    title: 'The network is slow, narrow and cuts everything into pieces',
    happens: 'Everything takes longer.',
    holds: 'Nothing fails, nothing is tried twice, and no two runs overlap.',
    seen: [metric('partkeeper_run_duration_seconds', 'longer')],
    tests: ['faults/network.test.ts'],
  },
  F12: {
    title: 'A transaction pooler stands in between',
    happens: 'Two clients get the same session lock, and settings leak to others.',
    holds: 'Every command refuses, and says which setting gives a direct address.',
    seen: [error('TRANSACTION_POOLER')],
    tests: ['faults/pooler.test.ts'],
  },
  F13: {
    title: 'There is no connection left, on the server or for the role',
    happens: 'Connections are refused with 53300.',
    holds: 'A run needs two. With one less it fails cleanly, once, and holds on to nothing.',
    seen: [error('CONNECTION_FAILED'), log('run finished')],
    tests: ['faults/surroundings.test.ts'],
  },
  F14: {
    title: 'The password is changed',
    happens: 'New connections are refused with 28P01 until the file has the new one.',
    holds: 'The file is read again for each connection; no restart is needed, and the password is never repeated.',
    seen: [error('CONNECTION_FAILED'), log('observation failed')],
    tests: ['db/connecting.test.ts'],
  },
  F15: {
    title: 'A certificate is replaced, or has expired',
    happens: 'New connections are refused until both ends fit together again.',
    holds: 'The files are read again for each connection, and nothing is ever sent in the clear instead.',
    seen: [error('CONNECTION_FAILED'), log('observation failed')],
    tests: ['faults/server-stops.test.ts'],
  },
  F16: {
    title: 'The name of the server cannot be resolved, or leads elsewhere',
    happens: 'Connections fail, or lead to the old address.',
    holds: 'The name is looked up for each connection.',
    seen: [error('CONNECTION_FAILED'), log('observation failed')],
    tests: ['faults/network.test.ts'],
  },
  F17: {
    title: 'The server is out of disk',
    happens: 'Statements that write fail with 53100 or 53400.',
    holds: 'That action fails, the others have their turn, and nothing is tried in a loop.',
    seen: [error('RESOURCES_EXHAUSTED'), metric('partkeeper_run_consecutive_failures', 'rises')],
    tests: ['faults/surroundings.test.ts', 'faults/server-stops.test.ts'],
  },
  F18: {
    title: 'The server is out of lock space',
    happens: 'A statement that touches every partition of a large table fails with 53200.',
    holds: 'None of ours does: the catalog is read without locks, and each partition has a transaction of its own.',
    seen: [error('RESOURCES_EXHAUSTED')],
    tests: ['faults/many-partitions.test.ts'],
  },
  F19: {
    title: 'The server is another version after a reconnect',
    happens: 'What could be said before is a syntax error now, or the other way round.',
    holds: 'What the server can do is asked together with the facts, each time.',
    seen: [metric('partkeeper_database_info', 'another server_version')],
    tests: ['faults/surroundings.test.ts'],
  },
} as const satisfies Readonly<Record<FaultNumber, Fault>>;
