/**
 * Zipmaps, the packed hashes of Redis before 2.6: a count byte, then length, key, length, a byte
 * that says how many unused bytes follow the value, value; 0xff ends it. A length is one byte, or
 * 0xfe and four. Read only.
 */

import { byteString } from "./byte-string.js";
import { RdbError } from "./format.js";
import type { Bytes } from "./values.js";

const endByte = 0xff;

function corrupt(): RdbError {
  return new RdbError("corrupt", "a zipmap contradicts its own lengths");
}

/** Appends field, value, field, value, … to `target`. */
export function zipmapElements(bytes: Buffer, target: Bytes[]): void {
  const end = bytes.length - 1;
  if (end < 1 || bytes[end] !== endByte) throw corrupt();
  let at = 1;
  while (at < end) {
    for (let part = 0; part < 2; part++) {
      if (at >= end) throw corrupt();
      let length = bytes[at++] as number;
      if (length === 0xfe) {
        if (at + 4 > end) throw corrupt();
        length = bytes.readUInt32LE(at);
        at += 4;
      }
      let unused = 0;
      if (part === 1) {
        if (at >= end) throw corrupt();
        unused = bytes[at++] as number;
      }
      if (at + length + unused > end) throw corrupt();
      target.push(byteString(bytes, at, at + length));
      at += length + unused;
    }
  }
}
