/** The public face of the client protocol: decoders, encoders, limits, errors. */
export type { Argument } from "./byte-string.js";
export { latin1String, writeLatin1 } from "./byte-string.js";
export { CommandDecoder } from "./command-decoder.js";
export * from "./command-encoder.js";
export * from "./errors.js";
export { formatDouble } from "./format-double.js";
export { splitInline } from "./inline.js";
export { parseInteger } from "./integer.js";
export * from "./limits.js";
export { NameCache } from "./name-cache.js";
export type { ReplyMark, ReplySink } from "./reply-arena.js";
export { ReplyDecoder } from "./reply-decoder.js";
export type { ReplyDecoderOptions } from "./reply-decoder.js";
export * from "./reply-values.js";
export { ReplyWriter } from "./reply-writer.js";
