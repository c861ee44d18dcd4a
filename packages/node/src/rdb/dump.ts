/**
 * The payloads of DUMP, RESTORE and MIGRATE: type byte and value as in an RDB file, two bytes of
 * RDB version, eight of checksum over all before them.
 */

import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { Crc64 } from "./crc64.js";
import { decodeCollection, elementCount } from "./decode-collection.js";
import { type RdbThresholds, ValueEncoder } from "./encode-value.js";
import {
  defaultRdbLimits,
  RdbError,
  type RdbLimits,
  rdbVersionReadMax,
  rdbVersionWritten,
  valueType,
} from "./format.js";
import type { RdbValue } from "./values.js";

const footerBytes = 10;

export interface DumpOptions {
  readonly compress?: boolean;
  readonly thresholds?: Partial<RdbThresholds>;
}

/** What DUMP answers for a value. */
export function dumpPayload(value: RdbValue, options: DumpOptions = {}): Buffer {
  const writer = new ByteWriter({ compress: options.compress ?? true, checksum: true });
  new ValueEncoder(writer, options.thresholds).write(value, () => {});
  writer.byte(rdbVersionWritten & 0xff);
  writer.byte(rdbVersionWritten >>> 8);
  writer.checksum();
  return Buffer.concat(writer.take());
}

/** Whether version and checksum are right; if not, RESTORE answers so. */
export function verifyDumpPayload(payload: Buffer): boolean {
  if (payload.length < footerBytes) return false;
  const footer = payload.length - footerBytes;
  if (payload.readUInt16LE(footer) > rdbVersionReadMax) return false;
  const checksum = new Crc64();
  checksum.update(payload, 0, footer + 2);
  return checksum.equals(payload, footer + 2);
}

/** The value of a payload that `verifyDumpPayload` accepted; throws `RdbError` on bad data. */
export function parseDumpPayload(payload: Buffer, limits: Partial<RdbLimits> = {}): RdbValue {
  const all = { ...defaultRdbLimits, ...limits, partElementsMax: Number.POSITIVE_INFINITY };
  const reader = new ByteReader(all, { checksum: false });
  reader.push(payload.subarray(0, payload.length - footerBytes));
  if (!reader.has(1)) throw truncated();
  const type = reader.byte();
  if (type === valueType.string) {
    const value = reader.string();
    if (value === undefined) throw truncated();
    return { type: "string", value };
  }
  const step = decodeCollection(reader, type, all).next();
  if (step.value === undefined || step.done !== true) throw truncated();
  if (step.value.type !== "stream" && elementCount(step.value) === 0) {
    throw new RdbError("corrupt", "an empty collection");
  }
  return step.value;
}

function truncated(): RdbError {
  return new RdbError("truncated", "the payload ends inside the value");
}
