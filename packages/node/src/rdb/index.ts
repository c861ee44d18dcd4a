/** What the rest of the node uses of RDB. */

export { Crc64 } from "./crc64.js";
export {
  RdbDecoder,
  type RdbDecoderOptions,
  type RdbEvent,
  type RdbKeyEvent,
} from "./decode.js";
export { elementCount } from "./decode-collection.js";
export { type DumpOptions, dumpPayload, parseDumpPayload, verifyDumpPayload } from "./dump.js";
export {
  RdbEncoder,
  type RdbEncoderOptions,
  type RdbHeader,
  type RdbKeyMeta,
} from "./encode.js";
export { defaultThresholds, type RdbThresholds } from "./encode-value.js";
export {
  defaultRdbLimits,
  RdbError,
  type RdbErrorKind,
  type RdbLimits,
  rdbVersionReadMax,
  rdbVersionWritten,
} from "./format.js";
export {
  formatStreamId,
  streamIdMilliseconds,
  streamIdOf,
  streamIdOfBig,
  streamIdParts,
  streamIdSequence,
  zeroStreamId,
} from "./stream-id.js";
export type {
  Bytes,
  RdbCollection,
  RdbHash,
  RdbList,
  RdbSet,
  RdbStream,
  RdbStreamConsumer,
  RdbStreamEntry,
  RdbStreamGroup,
  RdbStreamPending,
  RdbString,
  RdbValue,
  RdbZset,
  StreamIdBytes,
} from "./values.js";
