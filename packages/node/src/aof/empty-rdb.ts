/**
 * The RDB file of an empty data set: what a new node's base file is, as a real server writes it.
 * Also tells such a base from one with data, when a directory holds files but no manifest.
 */

/** Redis' RDB version 10, which every server from 7.0 on reads. */
const header = "REDIS0010";
const opcodeAux = 0xfa;
const opcodeEof = 0xff;

export interface EmptyRdbFields {
  /** Unix seconds. */
  readonly createdAt: number;
  readonly usedMemoryBytes: number;
}

/**
 * An RDB with auxiliary fields only. Its checksum is eight zero bytes, which every loader takes as
 * "not computed", so that this file does not depend on the RDB encoder.
 */
export function emptyRdb(fields: EmptyRdbFields): Buffer {
  return Buffer.concat([
    Buffer.from(header, "latin1"),
    auxiliary("redis-ver", rawString("7.0.15")),
    auxiliary("redis-bits", Buffer.from([0xc0, 64])),
    auxiliary("ctime", integer32(fields.createdAt)),
    auxiliary("used-mem", integer32(fields.usedMemoryBytes)),
    auxiliary("aof-base", Buffer.from([0xc0, 1])),
    Buffer.from([opcodeEof, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);
}

/** True if `bytes` is a whole RDB file that holds auxiliary fields and nothing else. */
export function isEmptyRdb(bytes: Buffer): boolean {
  if (!/^REDIS\d{4}$/.test(bytes.toString("latin1", 0, 9))) return false;
  let at = 9;
  while (bytes[at] === opcodeAux) {
    at = skipString(bytes, skipString(bytes, at + 1));
    if (at > bytes.length) return false;
  }
  return bytes[at] === opcodeEof && at < bytes.length;
}

/** Where the string at `at` ends. Forms that auxiliary fields never have end beyond the file. */
function skipString(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0xff;
  if (first < 0x40) return at + 1 + first;
  if (first < 0x80) return at + 2 + ((first & 0x3f) << 8) + (bytes[at + 1] ?? 0);
  if (first === 0xc0) return at + 2;
  if (first === 0xc1) return at + 3;
  if (first === 0xc2) return at + 5;
  return Number.MAX_SAFE_INTEGER;
}

function auxiliary(name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([opcodeAux]), rawString(name), value]);
}

function rawString(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, "latin1")]);
}

/** Redis' 32-bit integer form is signed; beyond it the number is written as text. */
function integer32(value: number): Buffer {
  if (value > 0x7fffffff) return rawString(String(value));
  const bytes = Buffer.alloc(5);
  bytes[0] = 0xc2;
  bytes.writeInt32LE(value, 1);
  return bytes;
}
