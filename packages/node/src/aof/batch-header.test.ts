import assert from "node:assert/strict";
import { test } from "node:test";
import { Crc64 } from "../rdb/crc64.js";
import { encodeRecord } from "../testing/aof-world.js";
import { BatchSeal, closingLine, parseBatchHeader, separateBatch } from "./batch-header.js";
import { BatchReader } from "./batch-reader.js";
import { annotationBytesMax, DamagedRecordError, RecordScanner } from "./record-scanner.js";

const id = "0123456789abcdef0123456789abcdef01234567";

/** A reader over whole bytes, in windows of `windowBytes`. */
function read(bytes: Buffer, windowBytes = 64): BatchReader {
  const reader = new BatchReader(true);
  const scanner = new RecordScanner(0, {}, windowBytes);
  for (let given = 0; ; ) {
    for (;;) {
      const start = scanner.offset;
      const result = scanner.next();
      if (result === "more") break;
      if (result === "record") reader.takeRecord(scanner);
      else reader.takeAnnotation(scanner, start);
    }
    if (given === bytes.length) return reader;
    reader.beforeMove(scanner);
    const count = bytes.copy(scanner.room(), 0, given);
    scanner.fill(count);
    given += count;
  }
}

/** Three batches: the second of two chunks, the third longer than the windows they are read in. */
function file(seal: BatchSeal): { bytes: Buffer; ends: number[] } {
  const batches = [
    [encodeRecord("SET", "a", "1")],
    [encodeRecord("SET", "b", "2"), encodeRecord("SET", "c", "3")],
    [encodeRecord("SET", "d", "x".repeat(300)), encodeRecord("DEL", "a")],
  ];
  const ends: number[] = [];
  let bytes = Buffer.alloc(0);
  for (const chunks of batches) {
    bytes = Buffer.concat([bytes, seal.header(chunks) ?? Buffer.alloc(0), ...chunks]);
    ends.push(bytes.length);
  }
  return { bytes, ends };
}

function sealAt(offset: () => number): BatchSeal {
  return new BatchSeal({
    enabled: () => true,
    position: () => ({ id, offset: offset(), streamDatabase: 3 }),
  });
}

test("the line is that of Valkey's proposal: CRC-64, running on, over header and batch", () => {
  const record = encodeRecord("SET", "a", "1");
  const seal = sealAt(() => 1204);
  const first = String(seal.header([record]));
  const beginning = `#HDR:v1;len:${record.length};seed:0;replid:${id};reploff:1204;db:3;checksum:`;
  const checksum = new Crc64();
  checksum.update(Buffer.from(beginning), 0, beginning.length);
  checksum.update(record, 0, record.length);
  assert.equal(first, `${beginning}${BigInt(`0x${checksum.toHex()}`)};\r\n`);
  const next = `#HDR:v1;len:${record.length};reploff:1204;db:3;checksum:`;
  checksum.update(Buffer.from(next), 0, next.length);
  checksum.update(record, 0, record.length);
  assert.equal(String(seal.header([record])), `${next}${BigInt(`0x${checksum.toHex()}`)};\r\n`);
});

test("the longest line is far below what loaders read", () => {
  const huge = { id, offset: Number.MAX_SAFE_INTEGER, streamDatabase: 2 ** 31 - 1 };
  const seal = new BatchSeal({ enabled: () => true, position: () => huge });
  const line = seal.header([Buffer.alloc(1000)]) ?? Buffer.alloc(0);
  assert.ok(line.length < annotationBytesMax / 4, String(line.length));
  assert.equal(separateBatch(Buffer.alloc(0), "1".repeat(20)).length < 200, true);
});

test("whole batches are verified and tell the place, in windows of any size", () => {
  for (let windowBytes = 1; windowBytes < 700; windowBytes += 13) {
    let offset = 0;
    const { bytes } = file(sealAt(() => (offset += 100)));
    const reader = read(bytes, windowBytes);
    assert.deepEqual(reader.counts, { verified: 3, cutShort: 0, uncovered: 0 });
    assert.deepEqual(reader.positionAt(bytes.length), { id, offset: 300, streamDatabase: 3 });
    assert.equal(reader.isOpen, false);
  }
});

test("one changed byte anywhere is damage of its batch, or of the one behind it", () => {
  const { bytes, ends } = file(sealAt(() => 7));
  const starts = [0, ...ends];
  let unseen = 0;
  for (let at = 0; at < bytes.length; at++) {
    for (const flip of [0x01, 0x20]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ flip;
      const batch = ends.findIndex((end) => at < end);
      try {
        const reader = read(changed);
        // A length that became larger: the file ends before the batch does.
        if (reader.isOpen) continue;
        unseen++;
        const line = String(bytes.subarray(at - 1, at + 2));
        assert.ok(/\r|\n|;/.test(line) || reader.counts.uncovered > 0, `${at}: ${line}`);
      } catch (error) {
        assert.ok(error instanceof DamagedRecordError, String(error));
        const last = starts[batch + 2] ?? bytes.length;
        assert.ok(error.offset >= (starts[batch] as number) && error.offset <= last, `${at}`);
      }
    }
  }
  // Only of the header's own line end, and the header that says that nothing was covered.
  assert.ok(unseen < 30, String(unseen));
});

test("a record that no header speaks of makes the place unknown, until the next header", () => {
  const seal = sealAt(() => 50);
  const { bytes } = file(seal);
  const alien = encodeRecord("SET", "alien", "1");
  const reader = read(Buffer.concat([bytes, alien]));
  assert.equal(reader.counts.uncovered, 1);
  assert.equal(reader.positionAt(Number.POSITIVE_INFINITY), undefined);
  const record = encodeRecord("SET", "ours", "1");
  const again = read(Buffer.concat([bytes, alien, seal.header([record]) as Buffer, record]));
  assert.equal(again.counts.verified, 4);
  assert.equal(again.positionAt(Number.POSITIVE_INFINITY)?.offset, 50);
});

test("a batch without an offset makes the place unknown, a lone header with one tells it", () => {
  let known = false;
  const seal = new BatchSeal({
    enabled: () => true,
    position: () => (known ? { id, offset: 9, streamDatabase: 0 } : undefined),
  });
  const { bytes } = file(seal);
  assert.equal(read(bytes).positionAt(bytes.length), undefined);
  known = true;
  assert.equal(seal.isBehind, true);
  const told = Buffer.concat([bytes, seal.header([]) as Buffer]);
  assert.equal(read(told).positionAt(told.length)?.offset, 9);
  assert.equal(seal.isBehind, false);
});

test("a batch that was cut can be closed, and written on behind", () => {
  const { bytes, ends } = file(sealAt(() => 7));
  const cut = (ends[0] as number) + bytes.subarray(ends[0]).indexOf("\n*3") + 1;
  const record = encodeRecord("SET", "b", "2");
  const kept = bytes.subarray(0, cut + record.length);
  const open = read(kept);
  assert.equal(open.isOpen, true);
  assert.equal(open.positionAt(cut)?.offset, 7, "nothing of the batch is kept");
  assert.equal(open.positionAt(kept.length), undefined);
  const closed = read(Buffer.concat([kept, closingLine, record]));
  assert.deepEqual(closed.counts, { verified: 2, cutShort: 1, uncovered: 1 });
  const seal = new BatchSeal({ enabled: () => true, position: () => undefined });
  const again = Buffer.concat([kept, seal.header([record]) as Buffer, record]);
  assert.deepEqual(read(again).counts, { verified: 2, cutShort: 1, uncovered: 0 });
  // Without that word the bytes in between are missing, not cut.
  const missing = Buffer.concat([kept, bytes.subarray(ends[1])]);
  assert.throws(() => read(missing), { offset: ends[0] as number });
});

test("the tail of a file goes on in another one", () => {
  const seal = sealAt(() => 7);
  const { bytes, ends } = file(seal);
  const first = sealAt(() => 7);
  const chunk = encodeRecord("SET", "a", "1");
  first.header([chunk]);
  const select = separateBatch(encodeRecord("SELECT", "3"), first.chain);
  const reader = read(Buffer.concat([select, bytes.subarray(ends[0])]));
  assert.equal(reader.counts.verified, 3);
});

test("headers of other forms", () => {
  assert.equal(parseBatchHeader("#HDR:v2;len:3;"), undefined);
  assert.equal(parseBatchHeader("#HDR:v1;len:x;"), undefined);
  assert.equal(parseBatchHeader("#HDR:v1;len:3"), undefined);
  assert.equal(parseBatchHeader("#HDR:v1;checksum:3;"), undefined);
  assert.equal(parseBatchHeader("#HDR:v1;len:3;replid:abc;"), undefined);
  const header = parseBatchHeader("#HDR:v1;len:45;later:x-1;reploff:100500;checksum:12;");
  assert.equal(header?.length, 45);
  assert.equal(header?.replicationOffset, 100500);
  assert.equal(header?.checksum, "12");
  assert.equal(header?.checkedChars, "#HDR:v1;len:45;later:x-1;reploff:100500;checksum:".length);
  assert.throws(() => read(Buffer.from("#HDR:v2;len:0;checksum:1;\r\n")), /unknown form/);
});
