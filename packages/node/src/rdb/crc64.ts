/**
 * The CRC-64 that ends every RDB file and DUMP payload (the Jones polynomial, reflected, initial
 * value and final xor zero). It is kept as two 32-bit halves: a BigInt per byte would cost a
 * hundred times more. This file knows no file format and refuses nothing: any bytes have a
 * checksum.
 */

/** 0xad93d23594c935a9 with its bits reversed, as two halves. */
const polynomialLow = 0xac4bc9b5 | 0;
const polynomialHigh = 0x95ac9329 | 0;

/**
 * Eight tables of 256 entries each ("slicing by eight"): table k gives what a byte contributes
 * after k more zero bytes have passed. Eight input bytes then cost sixteen look-ups without a
 * chain of dependencies, about five times as fast as byte by byte.
 */
const tableLow = new Int32Array(8 * 256);
const tableHigh = new Int32Array(8 * 256);

for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high = high >>> 1;
    if (carry !== 0) {
      low ^= polynomialLow;
      high ^= polynomialHigh;
    }
  }
  tableLow[byte] = low;
  tableHigh[byte] = high;
}
for (let index = 256; index < 8 * 256; index++) {
  const low = tableLow[index - 256] as number;
  const high = tableHigh[index - 256] as number;
  const first = low & 0xff;
  tableLow[index] = ((low >>> 8) | (high << 24)) ^ (tableLow[first] as number);
  tableHigh[index] = (high >>> 8) ^ (tableHigh[first] as number);
}

/** A running checksum. */
export class Crc64 {
  #low = 0;
  #high = 0;

  /** Takes in `bytes` from `start` up to, not including, `end`. */
  update(bytes: Uint8Array, start: number, end: number): void {
    let low = this.#low;
    let high = this.#high;
    let at = start;
    const lastEight = end - 8;
    while (at <= lastEight) {
      const a = 1792 + ((low ^ (bytes[at] as number)) & 0xff);
      const b = 1536 + (((low >>> 8) ^ (bytes[at + 1] as number)) & 0xff);
      const c = 1280 + (((low >>> 16) ^ (bytes[at + 2] as number)) & 0xff);
      const d = 1024 + ((low >>> 24) ^ (bytes[at + 3] as number));
      const e = 768 + ((high ^ (bytes[at + 4] as number)) & 0xff);
      const f = 512 + (((high >>> 8) ^ (bytes[at + 5] as number)) & 0xff);
      const g = 256 + (((high >>> 16) ^ (bytes[at + 6] as number)) & 0xff);
      const h = (high >>> 24) ^ (bytes[at + 7] as number);
      low =
        (tableLow[a] as number) ^
        (tableLow[b] as number) ^
        (tableLow[c] as number) ^
        (tableLow[d] as number) ^
        (tableLow[e] as number) ^
        (tableLow[f] as number) ^
        (tableLow[g] as number) ^
        (tableLow[h] as number);
      high =
        (tableHigh[a] as number) ^
        (tableHigh[b] as number) ^
        (tableHigh[c] as number) ^
        (tableHigh[d] as number) ^
        (tableHigh[e] as number) ^
        (tableHigh[f] as number) ^
        (tableHigh[g] as number) ^
        (tableHigh[h] as number);
      at += 8;
    }
    while (at < end) {
      const index = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (tableLow[index] as number);
      high = (high >>> 8) ^ (tableHigh[index] as number);
      at++;
    }
    this.#low = low;
    this.#high = high;
  }

  /** Writes the eight bytes of the checksum, least significant first, as RDB stores it. */
  writeTo(target: Uint8Array, offset: number): void {
    for (let index = 0; index < 4; index++) {
      target[offset + index] = (this.#low >>> (8 * index)) & 0xff;
      target[offset + 4 + index] = (this.#high >>> (8 * index)) & 0xff;
    }
  }

  /** Whether the eight bytes at `offset` are this checksum. */
  equals(bytes: Uint8Array, offset: number): boolean {
    for (let index = 0; index < 4; index++) {
      if (bytes[offset + index] !== ((this.#low >>> (8 * index)) & 0xff)) return false;
      if (bytes[offset + 4 + index] !== ((this.#high >>> (8 * index)) & 0xff)) return false;
    }
    return true;
  }

  /** Goes on from a value that `toDecimal` gave. */
  continueFrom(decimal: string): void {
    const value = BigInt.asUintN(64, BigInt(decimal));
    this.#low = Number(value & 0xffff_ffffn) | 0;
    this.#high = Number(value >> 32n) | 0;
  }

  /** The value as an unsigned decimal number. */
  toDecimal(): string {
    return ((BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0)).toString();
  }

  /** The sixteen hexadecimal digits, most significant first, for messages. */
  toHex(): string {
    const high = (this.#high >>> 0).toString(16).padStart(8, "0");
    const low = (this.#low >>> 0).toString(16).padStart(8, "0");
    return high + low;
  }
}
