/** Strings as bytes that commands read and change in place (SETRANGE, SETBIT, BITFIELD, PFADD). */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../dispatch/context.js";
import { ByteString } from "../store/byte-string.js";
import { ENCODING_RAW, type StringValue, toByteString } from "../store/value.js";
import { fail } from "./errors.js";

/** Refuses what would be longer than `proto-max-bulk-len`, except from our primary and our log. */
export function checkStringLength({ client, node }: CommandContext, length: number): void {
  if (client.kind === "normal" && length > node.config.protoMaxBulkLen) {
    fail(replyErrors.stringTooLong);
  }
}

/**
 * The value, to be changed in place: the buffer that it is or becomes. An empty string if there is
 * none.
 */
export function writableBytes(
  context: CommandContext,
  key: string,
  value: StringValue | undefined,
): ByteString {
  if (typeof value === "object") return value;
  const bytes = value === undefined ? ByteString.from("") : toByteString(value);
  context.db.replace(key, bytes, ENCODING_RAW);
  return bytes;
}

/** One byte of a value, 0 behind its end. */
export function byteOf(value: StringValue, index: number): number {
  if (typeof value === "object") return value.byteAt(index);
  const code = (typeof value === "number" ? String(value) : value).charCodeAt(index);
  // NaN behind the end.
  return code | 0;
}
