/**
 * The limits of everything that comes in over RESP, each with its unit in its name. The defaults
 * are those of Redis 7.2, which a client can observe: they decide which request is a protocol
 * error. This file holds numbers only; who enforces one says so at its field.
 */

/** What a server accepts from a client. Enforced by `CommandDecoder`. */
export interface RequestLimits {
  /** The longest argument: `proto-max-bulk-len`. */
  readonly bulkBytesMax: number;
  /** The highest argument count of one command; Redis 7 takes any positive C `int`. */
  readonly argumentCountMax: number;
  /** The longest inline request, and the longest header line (`*3`, `$5`), without its line end. */
  readonly inlineBytesMax: number;
}

export const defaultRequestLimits: RequestLimits = {
  bulkBytesMax: 512 * 1024 * 1024,
  argumentCountMax: 2 ** 31 - 1,
  inlineBytesMax: 64 * 1024,
};

/** Before AUTH a client gets only what AUTH and HELLO need, so that it cannot make us hold much. */
export const unauthenticatedArgumentCountMax = 10;
export const unauthenticatedBulkBytesMax = 16_384;

/**
 * From this length on an argument or a reply value lives in a Buffer of its own: V8's strings end
 * at 536,870,888 chars, and large values belong outside its heap.
 */
export const largeArgumentBytes = 64 * 1024;

/** What we accept from another server. Enforced by `ReplyDecoder`. */
export interface ReplyLimits {
  /** The longest bulk string, verbatim string or bulk error. */
  readonly bulkBytesMax: number;
  /** The highest element count of one array, set, push, or entry count of one map. */
  readonly aggregateLengthMax: number;
  /** The longest line: simple strings, errors, numbers and every header. */
  readonly lineBytesMax: number;
  /** The longest reply with everything in it. */
  readonly replyBytesMax: number;
  /** How deep aggregates may stand inside each other. */
  readonly depthMax: number;
}

export const defaultReplyLimits: ReplyLimits = {
  bulkBytesMax: 512 * 1024 * 1024,
  aggregateLengthMax: 2 ** 32 - 1,
  lineBytesMax: 1024 * 1024,
  replyBytesMax: 2 * 1024 * 1024 * 1024,
  depthMax: 128,
};
