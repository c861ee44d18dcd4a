import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RdbError } from "./format.js";
import { canonicalInteger } from "./integer-text.js";
import { encodeIntset, intsetElements } from "./intset.js";
import { ListpackReader, ListpackWriter, listpackElements } from "./listpack.js";
import type { Bytes } from "./values.js";
import { ziplistElements } from "./ziplist.js";
import { zipmapElements } from "./zipmap.js";

const borders = [
  0n,
  127n,
  128n,
  -1n,
  4095n,
  4096n,
  -4096n,
  -4097n,
  32_767n,
  32_768n,
  -32_768n,
  -32_769n,
  8_388_607n,
  8_388_608n,
  -8_388_608n,
  -8_388_609n,
  2_147_483_647n,
  2_147_483_648n,
  -2_147_483_648n,
  -2_147_483_649n,
  1n << 53n,
  -(1n << 63n),
  (1n << 63n) - 1n,
];

const int64 = fc.oneof(
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  fc.integer({ min: -70_000, max: 70_000 }).map(BigInt),
  fc.constantFrom(...borders),
);
const latin1 = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const element = fc.oneof(latin1, int64.map(String));

test("canonical integers are exactly what prints the same", () => {
  fc.assert(
    fc.property(fc.oneof(element, fc.stringMatching(/^-?[0-9]{1,21}$/)), (text) => {
      const value = canonicalInteger(text);
      const fits = /^-?[0-9]+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
      assert.equal(value !== undefined, fits && BigInt(text).toString() === text);
      if (value !== undefined) assert.equal(value.toString(), text);
    }),
  );
});

test("listpacks come back, whatever the elements", () => {
  const writer = new ListpackWriter();
  fc.assert(
    fc.property(fc.array(element, { maxLength: 60 }), (elements) => {
      for (const text of elements) writer.append(text);
      assert.equal(writer.count, elements.length);
      const length = writer.byteLength;
      const bytes = Buffer.from(writer.finish());
      assert.equal(bytes.length, length);
      const decoded: Bytes[] = [];
      listpackElements(bytes, decoded);
      assert.deepEqual(decoded, elements);
    }),
  );
});

test("listpack strings at the borders of the length encodings", () => {
  const writer = new ListpackWriter();
  const lengths = [0, 63, 64, 126, 127, 4095, 4096, 16_380, 16_381, 16_382, 65_535, 2_097_150];
  for (const length of lengths) writer.append("x".repeat(length));
  writer.append(Buffer.alloc(70_000, 0x79));
  const decoded: Bytes[] = [];
  listpackElements(Buffer.from(writer.finish()), decoded);
  assert.deepEqual(
    decoded.map((value) => value.length),
    [...lengths, 70_000],
  );
  assert.equal(typeof decoded[10], "string");
  assert.ok(Buffer.isBuffer(decoded[12]) && decoded[12].equals(Buffer.alloc(70_000, 0x79)));
});

test("a count of 65535 elements and more is marked unknown", () => {
  const writer = new ListpackWriter();
  for (let index = 0; index < 65_536; index++) writer.appendInteger(1);
  assert.equal(writer.finish().readUInt16LE(4), 0xffff);
});

test("intsets take the smallest width and come back sorted", () => {
  fc.assert(
    fc.property(fc.uniqueArray(int64, { minLength: 1, maxLength: 30 }), (members) => {
      const bytes = encodeIntset(members.map((member) => canonicalInteger(String(member)) ?? 0));
      const width = bytes.readUInt32LE(0) * 8;
      assert.ok(members.every((member) => BigInt.asIntN(width, member) === member));
      if (width > 16) assert.ok(members.some((m) => BigInt.asIntN(width / 2, m) !== m));
      const decoded: Bytes[] = [];
      intsetElements(bytes, decoded);
      const sorted = [...members].sort((left, right) => (left < right ? -1 : 1));
      assert.deepEqual(decoded, sorted.map(String));
    }),
  );
});

/** Builds a ziplist by the format's description; the code under test only reads them. */
function ziplist(entries: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let previous = 0;
  for (const entry of entries) {
    const length = Buffer.alloc(previous < 254 ? 1 : 5, 0xfe);
    if (previous < 254) length[0] = previous;
    else length.writeUInt32LE(previous, 1);
    parts.push(length, entry);
    previous = length.length + entry.length;
  }
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(10);
  header.writeUInt32LE(body.length + 11, 0);
  header.writeUInt16LE(entries.length, 8);
  return Buffer.concat([header, body, Buffer.from([0xff])]);
}

const everyZiplistEntry = [
  Buffer.from("\x03abc"),
  Buffer.concat([Buffer.from([0x41, 0x2c]), Buffer.alloc(300, 0x62)]),
  Buffer.concat([Buffer.from([0x80, 0, 0, 0x01, 0x00]), Buffer.alloc(256, 0x63)]),
  Buffer.from([0xf1]),
  Buffer.from([0xfd]),
  Buffer.from([0xfe, 0x80]),
  Buffer.from([0xc0, 0x00, 0x80]),
  Buffer.from([0xf0, 0xff, 0xff, 0x7f]),
  Buffer.from([0xd0, 0, 0, 0, 0x80]),
  Buffer.from([0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80]),
];

test("every kind of ziplist entry", () => {
  const decoded: Bytes[] = [];
  ziplistElements(ziplist(everyZiplistEntry), decoded);
  assert.deepEqual(decoded, [
    "abc",
    "b".repeat(300),
    "c".repeat(256),
    "0",
    "12",
    "-128",
    "-32768",
    "8388607",
    "-2147483648",
    "-9223372036854775808",
  ]);
});

test("zipmaps with short and long lengths and unused bytes", () => {
  const long = Buffer.alloc(300, 0x76);
  const bytes = Buffer.concat([
    Buffer.from("\x02\x01a\x02\x01xy_", "latin1"),
    Buffer.from("\x02bc\xfe\x2c\x01\x00\x00\x00", "latin1"),
    long,
    Buffer.from([0xff]),
  ]);
  const decoded: Bytes[] = [];
  zipmapElements(bytes, decoded);
  assert.deepEqual(decoded, ["a", "xy", "bc", "v".repeat(300)]);
});

test("damage in a packed form is an error of ours, never a hang or a read outside", () => {
  const writer = new ListpackWriter();
  for (const value of ["abc", "12", "x".repeat(100), "-70000", "y".repeat(5000)])
    writer.append(value);
  const seeds: [Buffer, (bytes: Buffer) => void][] = [
    [Buffer.from(writer.finish()), (bytes) => listpackElements(bytes, [])],
    [encodeIntset([1, 70_000, -5]), (bytes) => intsetElements(bytes, [])],
    [ziplist(everyZiplistEntry), (bytes) => ziplistElements(bytes, [])],
    [
      Buffer.from("\x02\x01a\x02\x01xy_\x02bc\x01\x00z\xff", "latin1"),
      (b) => zipmapElements(b, []),
    ],
  ];
  for (const [seed, decode] of seeds) {
    decode(seed);
    fc.assert(
      fc.property(fc.nat(seed.length - 1), fc.nat(255), fc.nat(40), (at, byte, cut) => {
        const damaged = Buffer.from(seed.subarray(0, cut < 20 ? seed.length - cut : seed.length));
        if (at < damaged.length) damaged[at] = byte;
        try {
          decode(damaged);
        } catch (error) {
          assert.ok(error instanceof RdbError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  }
});

test("a listpack cursor tells integers from strings", () => {
  const writer = new ListpackWriter();
  writer.appendInteger(7);
  writer.append("word");
  const reader = new ListpackReader(Buffer.from(writer.finish()));
  assert.equal(reader.readCount(), 7);
  assert.throws(() => reader.readInteger(), RdbError);
});
