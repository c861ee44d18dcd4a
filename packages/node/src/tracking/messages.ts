/** Invalidation messages as bytes. */

const channel = "$20\r\n__redis__:invalidate\r\n";
const resp3Head = Buffer.from(">2\r\n$10\r\ninvalidate\r\n", "latin1");
const resp2Head = Buffer.from(`*3\r\n$7\r\nmessage\r\n${channel}`, "latin1");

/** An array of keys. */
export function encodeKeys(keys: readonly string[]): Buffer {
  const parts = keys.map((key) => Buffer.from(`$${key.length}\r\n${key}\r\n`, "latin1"));
  return Buffer.concat([Buffer.from(`*${keys.length}\r\n`, "latin1"), ...parts]);
}

/** Everything may have changed. */
export function encodeNull(protocol: 2 | 3): Buffer {
  return Buffer.from(protocol === 3 ? "_\r\n" : "$-1\r\n", "latin1");
}

/** The whole message around an encoded value: a push, or, in RESP2, a message of a channel. */
export function invalidation(protocol: 2 | 3, value: Buffer): Buffer {
  return Buffer.concat([protocol === 3 ? resp3Head : resp2Head, value]);
}

/** Told to the connection whose stand-in is gone. */
export function redirectBroken(id: number): Buffer {
  return Buffer.from(`>2\r\n$21\r\ntracking-redir-broken\r\n:${id}\r\n`, "latin1");
}
