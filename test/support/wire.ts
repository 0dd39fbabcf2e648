/** PostgreSQL's protocol as far as a proxy needs it: the statements that a client sends. */

const SIMPLE_QUERY = 0x51; // Q
const PARSE = 0x50; // P
const TYPE_AND_LENGTH = 5;

/** A reader of one connection, fed with its packets from the start; gives the text of each statement once it is complete. */
export function readStatements(): (packet: Buffer) => readonly string[] {
  let rest: Buffer = Buffer.alloc(0);
  // The first message has no type.
  let isStarted = false;
  return packet => {
    rest = Buffer.concat([rest, packet]);
    const statements: string[] = [];
    for (;;) {
      const header = isStarted ? TYPE_AND_LENGTH : 4;
      if (rest.length < header) return statements;
      const length = rest.readInt32BE(header - 4) + header - 4;
      if (rest.length < length) return statements;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (isStarted) statements.push(...statementIn(message));
      isStarted = true;
    }
  };
}

function statementIn(message: Buffer): readonly string[] {
  const [text = '', second = ''] = message.subarray(TYPE_AND_LENGTH).toString('utf8').split('\0');
  if (message[0] === SIMPLE_QUERY) return [text];
  // A name, mostly an empty one, and then the text.
  return message[0] === PARSE ? [second] : [];
}
