/** Integers of 1 to 64 bits at any bit of a string: reading, writing, and what overflow does. */
import type { ByteString } from "../../store/byte-string.js";
import type { StringValue } from "../../store/value.js";
import { byteOf } from "../string-bytes.js";

export interface FieldType {
  readonly signed: boolean;
  /** 1 to 64, to 63 without a sign. */
  readonly bits: number;
}

export type Overflow = "wrap" | "sat" | "fail";

/** Up to so many bits, numbers do; wider ones are read and written in halves. */
const NARROW_BITS = 32;
/** Amounts up to this, added to a narrow field, are exact. */
const NARROW_AMOUNT_MAX = 2 ** 52;

export function isNarrow(type: FieldType, amount: number | bigint): amount is number {
  return type.bits <= NARROW_BITS && Math.abs(Number(amount)) <= NARROW_AMOUNT_MAX;
}

/** Up to 32 bits, unsigned; zero behind the end of the value. */
function readBits(value: StringValue, offset: number, bits: number): number {
  const lastByte = Math.floor((offset + bits - 1) / 8);
  let read = 0;
  for (let index = Math.floor(offset / 8); index <= lastByte; index += 1) {
    read = read * 256 + byteOf(value, index);
  }
  const behind = lastByte * 8 + 8 - (offset + bits);
  return Math.floor(read / 2 ** behind) % 2 ** bits;
}

function writeBits(bytes: ByteString, offset: number, bits: number, value: number): void {
  let left = bits;
  let rest = value;
  while (left > 0) {
    const last = offset + left - 1;
    const index = Math.floor(last / 8);
    const shift = 7 - (last & 7);
    const count = Math.min(left, 8 - shift);
    const mask = (1 << count) - 1;
    const part = (rest % 256) & mask;
    bytes.setByte(index, (bytes.byteAt(index) & ~(mask << shift)) | (part << shift));
    rest = Math.floor(rest / 2 ** count);
    left -= count;
  }
}

/** For types up to 32 bits. */
export function readNarrow(
  value: StringValue,
  offset: number,
  { signed, bits }: FieldType,
): number {
  const read = readBits(value, offset, bits);
  return signed && read >= 2 ** (bits - 1) ? read - 2 ** bits : read;
}

export function writeNarrow(
  bytes: ByteString,
  offset: number,
  { bits }: FieldType,
  value: number,
): void {
  writeBits(bytes, offset, bits, value < 0 ? value + 2 ** bits : value);
}

export function readWide(value: StringValue, offset: number, { signed, bits }: FieldType): bigint {
  const highBits = Math.max(0, bits - NARROW_BITS);
  const high = highBits === 0 ? 0 : readBits(value, offset, highBits);
  const low = readBits(value, offset + highBits, bits - highBits);
  const read = (BigInt(high) << BigInt(bits - highBits)) | BigInt(low);
  return signed ? BigInt.asIntN(bits, read) : read;
}

export function writeWide(
  bytes: ByteString,
  offset: number,
  { bits }: FieldType,
  value: bigint,
): void {
  const highBits = Math.max(0, bits - NARROW_BITS);
  const lowBits = bits - highBits;
  const raw = BigInt.asUintN(bits, value);
  writeBits(bytes, offset, highBits, Number(raw >> BigInt(lowBits)));
  writeBits(bytes, offset + highBits, lowBits, Number(BigInt.asUintN(lowBits, raw)));
}

/** What becomes of a value that may not fit the type; `undefined` if it must not be written. */
export function fitNarrow(
  value: number,
  { signed, bits }: FieldType,
  overflow: Overflow,
): number | undefined {
  const size = 2 ** bits;
  const min = signed ? -size / 2 : 0;
  const max = min + size - 1;
  if (value >= min && value <= max) return value;
  if (overflow === "fail") return undefined;
  if (overflow === "sat") return value > max ? max : min;
  const rest = (value - min) % size;
  return (rest < 0 ? rest + size : rest) + min;
}

export function fitWide(
  value: bigint,
  { signed, bits }: FieldType,
  overflow: Overflow,
): bigint | undefined {
  const fitted = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  if (fitted === value || overflow === "wrap") return fitted;
  if (overflow === "fail") return undefined;
  const size = 1n << BigInt(bits);
  const min = signed ? -size / 2n : 0n;
  return value > min ? min + size - 1n : min;
}
