import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Crc64 } from "./crc64.js";

function hexOf(bytes: Uint8Array): string {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  return crc.toHex();
}

/** The definition itself, bit by bit over BigInt. */
function slowly(bytes: Uint8Array): string {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
    }
  }
  return crc.toString(16).padStart(16, "0");
}

test("the check value of the variant", () => {
  assert.equal(hexOf(Buffer.from("123456789")), "e9c6d914c4b8d9ca");
  assert.equal(hexOf(Buffer.alloc(0)), "0000000000000000");
});

test("equals the definition, whole and in any two pieces", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, cut) => {
      const at = Math.min(cut, bytes.length);
      const crc = new Crc64();
      crc.update(bytes, 0, at);
      crc.update(bytes, at, bytes.length);
      assert.equal(crc.toHex(), slowly(bytes));
      const stored = Buffer.alloc(10);
      crc.writeTo(stored, 1);
      assert.equal(stored.readBigUInt64LE(1), BigInt(`0x${slowly(bytes)}`));
      assert.equal(crc.equals(stored, 1), true);
      stored[4] = (stored[4] as number) ^ 1;
      assert.equal(crc.equals(stored, 1), false);
    }),
  );
});
