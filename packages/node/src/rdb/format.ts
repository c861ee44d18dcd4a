/**
 * The numbers of the RDB format: opcodes, value types, versions, limits, and the one error that
 * reading it can raise. Facts only; no bytes are touched here.
 */

/** What we write. Redis 7.0 refuses anything newer; 7.2 and Valkey read it. */
export const rdbVersionWritten = 10;
/** What we read: 12 is Redis 7.4's. */
export const rdbVersionReadMax = 12;

export const opcode = {
  slotInfo: 244,
  function2: 245,
  functionPreGa: 246,
  moduleAux: 247,
  idle: 248,
  frequency: 249,
  aux: 250,
  resizeDb: 251,
  expireTimeMs: 252,
  expireTimeSeconds: 253,
  selectDb: 254,
  eof: 255,
} as const;

export const valueType = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  zset2: 5,
  modulePreGa: 6,
  module2: 7,
  hashZipmap: 9,
  listZiplist: 10,
  setIntset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  listQuicklist: 14,
  streamListpacks: 15,
  hashListpack: 16,
  zsetListpack: 17,
  listQuicklist2: 18,
  streamListpacks2: 19,
  setListpack: 20,
  streamListpacks3: 21,
} as const;

/** Names for messages, of what newer versions or modules can put into a file. */
export const unsupportedTypeNames: Readonly<Record<number, string>> = {
  6: "module value (before 4.0)",
  7: "module value",
  22: "hash with field expiry (preview format)",
  23: "hash listpack with field expiry (preview format)",
  24: "hash with field expiry",
  25: "hash listpack with field expiry",
};

/** The upper two bits of a length's first byte. */
export const lengthKind = { six: 0, fourteen: 1, long: 2, encoded: 3 } as const;
/** The lower six bits when the kind is `encoded`. */
export const stringEncoding = { int8: 0, int16: 1, int32: 2, lzf: 3 } as const;

/** The nodes of a quicklist of the second format. */
export const quicklistNode = { plain: 1, packed: 2 } as const;

/** Strings of this many bytes and more are Buffers in memory, shorter ones latin1 strings. */
export const largeStringBytes = 64 * 1024;

export interface RdbLimits {
  /** Longest string, key or packed collection, decompressed. Redis' own default is 512 MB. */
  readonly stringBytesMax: number;
  /** A collection of more elements is handed over in parts of about this many. */
  readonly partElementsMax: number;
}

export const defaultRdbLimits: RdbLimits = {
  stringBytesMax: 512 * 1024 * 1024,
  partElementsMax: 1024,
};

export type RdbErrorKind =
  /** The bytes contradict the format. */
  | "corrupt"
  /** The input ended before the value did. */
  | "truncated"
  /** Well formed as far as we can tell, but of a version, type or module we do not have. */
  | "unsupported"
  /** A named limit was exceeded. */
  | "limit";

/** Reading failed; nothing after this point can be trusted. */
export class RdbError extends Error {
  readonly kind: RdbErrorKind;

  constructor(kind: RdbErrorKind, message: string) {
    super(message);
    this.name = "RdbError";
    this.kind = kind;
  }
}
