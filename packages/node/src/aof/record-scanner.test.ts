import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeRecord } from "../testing/aof-world.js";
import { DamagedRecordError, RecordScanner } from "./record-scanner.js";

type Item = readonly string[] | string;

/** All items of `bytes`, given in pieces of the sizes that `pieces` names in turn. */
function scan(bytes: Buffer, pieces: readonly number[], windowBytes: number): [Item, number][] {
  const scanner = new RecordScanner(0, {}, windowBytes);
  const items: [Item, number][] = [];
  let given = 0;
  for (let turn = 0; ; turn++) {
    for (let result = scanner.next(); result !== "more"; result = scanner.next()) {
      const item = result === "annotation" ? scanner.annotation : scanner.argv.map(String);
      items.push([item, scanner.offset]);
    }
    if (given === bytes.length) return items;
    const room = scanner.room();
    const piece = Math.min(pieces[turn % pieces.length] ?? 1, room.length, bytes.length - given);
    bytes.copy(room, 0, given, given + piece);
    scanner.fill(piece);
    given += piece;
  }
}

const word = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
});
const record = fc.array(word, { minLength: 1, maxLength: 5 });
const annotation = fc.stringMatching(/^#[ -~]{0,40}$/);

test("records and annotations come out as they went in, however the file is cut up", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(record, annotation), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 200 }),
      (items, pieces, windowBytes) => {
        const encoded = items.map((item) =>
          typeof item === "string" ? Buffer.from(`${item}\r\n`) : encodeRecord(...item),
        );
        let offset = 0;
        const expected = items.map((item, index): [Item, number] => {
          offset += encoded[index]?.length ?? 0;
          return [item, offset];
        });
        assert.deepEqual(scan(Buffer.concat(encoded), pieces, windowBytes), expected);
      },
    ),
  );
});

test("a large argument is a Buffer of its own", () => {
  const value = "x".repeat(200_000);
  const scanner = new RecordScanner();
  const bytes = encodeRecord("SET", "key", value);
  bytes.copy(scanner.room());
  scanner.fill(bytes.length);
  assert.equal(scanner.next(), "record");
  assert.deepEqual(scanner.argv, ["SET", "key", Buffer.from(value)]);
  scanner.room().fill(0);
  assert.equal(String(scanner.argv[2]), value);
});

const damaged: readonly (readonly [string, number])[] = [
  ["SET a b\r\n", 0],
  ["\0\0\0\0", 0],
  ["*0\r\n", 0],
  ["*-1\r\n", 1],
  ["*x\r\n", 1],
  ["*1\n$1\na\n", 2],
  ["*1\rx$1\r\na\r\n", 3],
  ["*1\r\n:1\r\n", 4],
  ["*1\r\n$-1\r\n", 5],
  ["*1\r\n$999999999\r\n", 4],
  ["*11111111111111111111111\r\n", 1],
  ["*1\r\n$1\r\nab\r\n", 9],
  [`#${"x".repeat(1100)}\r\n`, 0],
];

test("what no server writes is damage, and the offset points at it", () => {
  const good = encodeRecord("SET", "a", "b");
  for (const [text, offset] of damaged) {
    const bytes = Buffer.concat([good, Buffer.from(text, "latin1")]);
    assert.throws(
      () => scan(bytes, [bytes.length], 1024),
      (error: unknown) => {
        assert.ok(error instanceof DamagedRecordError, text);
        assert.equal(error.offset, good.length + offset, JSON.stringify(text));
        return true;
      },
    );
  }
});

test("a prefix of records is never damage", () => {
  const bytes = Buffer.concat([encodeRecord("SET", "a", "b"), Buffer.from("#TS:1\r\n")]);
  for (let size = 0; size <= bytes.length; size++) {
    assert.doesNotThrow(() => scan(bytes.subarray(0, size), [3], 16));
  }
});

test("reading a record much larger than the window costs no more than its length", () => {
  const bytes = encodeRecord(
    "RPUSH",
    ...Array.from({ length: 20_000 }, (_, index) => String(index)),
  );
  const scanner = new RecordScanner(0, {}, 256);
  let rooms = 0;
  for (let given = 0; given < bytes.length; rooms++) {
    assert.equal(scanner.next(), "more");
    const room = scanner.room();
    const count = bytes.copy(room, 0, given);
    scanner.fill(count);
    given += count;
  }
  assert.equal(scanner.next(), "record");
  assert.equal(scanner.argv.length, 20_001);
  assert.ok(rooms < 20, `${rooms} reads`);
});
