import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { it } from "node:test";
import fc from "fast-check";
import { ByteString } from "./byte-string.js";
import {
  ENCODING_DEFAULT,
  ENCODING_NOT_INT,
  ENCODING_RAW,
  encodeString,
  encodingOf,
  plainString,
  stringBytes,
  stringLength,
  stringToText,
  toByteString,
  typeOf,
} from "./value.js";

it("stores any bytes so that the same bytes come out, from text and from bytes", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.maxSafeInteger().map((number) => Buffer.from(String(number))),
    fc.integer({ min: 65_530, max: 65_540 }).map((length) => new Uint8Array(length).fill(255)),
  );
  fc.assert(
    fc.property(bytes, (array) => {
      const buffer = Buffer.from(array);
      const text = buffer.toString("latin1");
      for (const source of [buffer, text]) {
        for (const value of [encodeString(source), plainString(source)]) {
          assert.ok(stringBytes(value).equals(buffer));
          assert.equal(stringLength(value), buffer.length);
          assert.equal(typeOf(value), "string");
          assert.equal(value instanceof ByteString, buffer.length >= 65_536);
          if (buffer.length < 65_536) assert.equal(stringToText(value), text);
          assert.ok(toByteString(value).view().equals(buffer));
        }
      }
    }),
  );
});

it("refuses to make text of a long string", () => {
  assert.throws(() => stringToText(encodeString("x".repeat(65_536))));
});

it("does not keep a large buffer alive for a slice, nor change one it was given", () => {
  const whole = Buffer.alloc(200_000, 1);
  const value = encodeString(whole.subarray(0, 70_000)) as ByteString;
  assert.equal(value.view().buffer.byteLength, 70_000);
  const own = Buffer.from(new ArrayBuffer(70_000)).fill(2);
  const borrowed = encodeString(own) as ByteString;
  assert.equal(borrowed.view().buffer, own.buffer, "not copied");
  borrowed.setByte(0, 9);
  assert.equal(own[0], 2);
});

it("names encodings as Redis does", () => {
  const encoding = (text: string, flag: number) => encodingOf(encodeString(text), flag);
  assert.equal(encoding("12", ENCODING_DEFAULT), "int");
  assert.equal(encoding("9223372036854775807", ENCODING_DEFAULT), "int");
  assert.equal(encoding("9223372036854775808", ENCODING_DEFAULT), "embstr");
  assert.equal(encoding("1.5", ENCODING_DEFAULT), "embstr");
  assert.equal(encoding("x".repeat(44), ENCODING_DEFAULT), "embstr");
  assert.equal(encoding("x".repeat(45), ENCODING_DEFAULT), "raw");
  assert.equal(encoding("x".repeat(70_000), ENCODING_DEFAULT), "raw");
  assert.equal(encodingOf(plainString("12"), ENCODING_NOT_INT), "embstr");
  assert.equal(encodingOf("9223372036854775807", ENCODING_NOT_INT), "embstr");
  assert.equal(encodingOf("12", ENCODING_RAW), "raw");
  assert.equal(encodingOf("abc", ENCODING_RAW), "raw");
});

it("counts the digits of integers", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (number) => {
      assert.equal(stringLength(number), String(number).length);
    }),
  );
  for (const number of [0, 9, 10, -1, -10, 2 ** 53 - 1, 1 - 2 ** 53]) {
    assert.equal(stringLength(number), String(number).length);
  }
});
