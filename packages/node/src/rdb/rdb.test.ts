import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RdbDecoder, type RdbEvent } from "./decode.js";
import { elementCount } from "./decode-collection.js";
import { dumpPayload, parseDumpPayload, verifyDumpPayload } from "./dump.js";
import { RdbEncoder } from "./encode.js";
import { RdbError } from "./format.js";
import { streamIdOf, streamIdOfBig, zeroStreamId } from "./stream-id.js";
import type { Bytes, RdbCollection, RdbStream, RdbValue, RdbZset } from "./values.js";

const header = {
  redisVersion: "7.0.0",
  createdAt: 1_700_000_000,
  usedMemoryBytes: 1,
  isAofBase: false,
};

const text: fc.Arbitrary<Bytes> = fc.oneof(
  fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.bigInt({ min: -(1n << 64n), max: 1n << 64n }).map(String),
  fc.integer({ min: -40_000, max: 40_000 }).map(String),
  fc.nat(3000).map((length) => "ab".repeat(length)),
  fc.nat(10).map((extra) => Buffer.alloc(65_536 + extra, 0x61 + extra)),
);
const shortText = fc.string({ maxLength: 8 }).map((value) => Buffer.from(value).toString("latin1"));
const score = fc.oneof(fc.double({ noNaN: true }), fc.integer().map(Number));

const zset: fc.Arbitrary<RdbZset> = fc
  .uniqueArray(fc.tuple(fc.oneof(shortText, text), score), {
    minLength: 1,
    maxLength: 40,
    selector: ([member]) => member.toString(),
  })
  .map((pairs) => ({
    type: "zset",
    members: pairs.map(([member]) => member),
    scores: pairs.map(([, value]) => value),
  }));

const id = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(5)).map(([ms, seq]) => streamIdOf(1_700_000_000_000 + ms, seq)),
  fc
    .tuple(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    )
    .map(([ms, seq]) => streamIdOfBig(ms, seq)),
);
const stream: fc.Arbitrary<RdbStream> = fc
  .record({
    ids: fc.uniqueArray(id, { maxLength: 30 }),
    fields: fc.array(fc.array(fc.tuple(shortText, shortText), { minLength: 1, maxLength: 3 }), {
      minLength: 30,
      maxLength: 30,
    }),
    time: fc.maxSafeNat(),
    read: fc.constantFrom(-1, 0, 70_000),
  })
  .map(({ ids, fields, time, read }) => {
    const sorted = [...ids].sort((left, right) => (left < right ? -1 : 1));
    const pending = sorted.slice(0, 5);
    return {
      type: "stream",
      entries: sorted.map((entryId, index) => ({
        id: entryId,
        fields: (fields[index] ?? []).flat(),
      })),
      length: sorted.length,
      lastId: sorted.at(-1) ?? zeroStreamId,
      firstId: sorted[0] ?? zeroStreamId,
      maxDeletedId: streamIdOf(1, 2),
      entriesAdded: sorted.length + 3,
      groups: [
        {
          name: "group",
          lastId: sorted[2] ?? zeroStreamId,
          entriesRead: read,
          pending: pending.map((entry) => ({ id: entry, deliveredAt: time, deliveryCount: 2 })),
          consumers: [{ name: "c", seenAt: time, activeAt: time, pending }],
        },
      ],
    };
  });

const value: fc.Arbitrary<RdbValue> = fc.oneof(
  text.map((bytes) => ({ type: "string", value: bytes }) as const),
  fc
    .array(text, { minLength: 1, maxLength: 40 })
    .map((items) => ({ type: "list", items }) as const),
  fc
    .uniqueArray(fc.oneof(shortText, fc.integer().map(String)), { minLength: 1, maxLength: 40 })
    .map((members) => ({ type: "set", members }) as const),
  fc
    .uniqueArray(fc.tuple(shortText, text), { minLength: 1, maxLength: 20, selector: ([f]) => f })
    .map((pairs) => ({ type: "hash", pairs: pairs.flat() }) as const),
  zset,
  stream,
);

/** Order carries no meaning in sets and sorted sets; numbers stand for their text. */
function normal(given: RdbValue): unknown {
  const plain = (bytes: Bytes | number): string =>
    typeof bytes === "object" ? bytes.toString("latin1") : String(bytes);
  switch (given.type) {
    case "string":
      return typeof given.value === "number" ? String(given.value) : plain(given.value);
    case "list":
      return given.items.map(plain);
    case "set":
      return new Set(given.members.map(plain));
    case "hash":
      return given.pairs.map(plain);
    case "zset":
      return new Map(given.members.map((member, index) => [plain(member), given.scores[index]]));
    case "stream":
      return given;
    default:
      return given satisfies never;
  }
}

function decodeAll(bytes: Buffer, chunk: number, partElementsMax = 1024): RdbEvent[] {
  const decoder = new RdbDecoder({ limits: { partElementsMax } });
  const events: RdbEvent[] = [];
  const scratch = Buffer.alloc(chunk);
  for (let at = 0; at < bytes.length; at += chunk) {
    const length = bytes.copy(scratch, 0, at);
    decoder.push(scratch.subarray(0, length));
    for (let event = decoder.next(); event !== undefined; event = decoder.next())
      events.push(event);
    // What was borrowed is overwritten by the next read: nothing may depend on it.
    scratch.fill(0xaa);
  }
  assert.equal(decoder.finished, true);
  assert.equal(decoder.consumedBytes, bytes.length);
  return events;
}

test("any data set comes back, from chunks of any size", () => {
  const entry = fc.record({ key: text, value, expireAt: fc.option(fc.nat(), { nil: -1 }) });
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 8 }),
      fc.constantFrom(1, 3, 64, 1 << 20),
      (keys, chunk) => {
        const encoder = new RdbEncoder();
        encoder.header(header);
        encoder.selectDb(5);
        for (const { key, value: given, expireAt } of keys) encoder.key({ key, expireAt }, given);
        encoder.end();
        const bytes = Buffer.concat(encoder.takeChunks());
        assert.equal(encoder.writtenBytes, bytes.length);
        const large = bytes.length > 200_000 ? 1 << 16 : chunk;
        const found = decodeAll(bytes, large).filter((event) => event.kind === "key");
        assert.equal(found.length, keys.length);
        for (let index = 0; index < keys.length; index++) {
          const event = found[index];
          const expected = keys[index];
          assert.ok(event?.kind === "key" && expected !== undefined);
          assert.equal(event.db, 5);
          assert.deepEqual(event.key, expected.key);
          assert.equal(event.expireAt, expected.expireAt);
          assert.deepEqual(normal(event.value), normal(expected.value));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("payloads come back, and any changed bit is noticed", () => {
  fc.assert(
    fc.property(value, fc.nat(), fc.nat(7), (given, at, bit) => {
      const payload = dumpPayload(given);
      assert.equal(verifyDumpPayload(payload), true);
      assert.deepEqual(normal(parseDumpPayload(payload)), normal(given));
      const index = at % payload.length;
      payload[index] = (payload[index] as number) ^ (1 << bit);
      assert.equal(verifyDumpPayload(payload), false);
    }),
    { numRuns: 100 },
  );
});

test("payloads with damage behind a right checksum are errors of ours", () => {
  fc.assert(
    fc.property(
      value,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      (given, edits) => {
        const payload = dumpPayload(given);
        for (const [at, byte] of edits) payload[at % Math.max(1, payload.length - 10)] = byte;
        try {
          parseDumpPayload(payload, { stringBytesMax: 1 << 20 });
        } catch (error) {
          assert.ok(error instanceof RdbError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

/** A collection of `count` elements from `start`. */
function slice(type: RdbCollection["type"], start: number, count: number): RdbCollection {
  const names = Array.from({ length: count }, (_, index) => `m${start + index}`);
  switch (type) {
    case "list":
      return { type, items: names };
    case "set":
      return { type, members: names };
    case "hash":
      return { type, pairs: names.flatMap((name) => [name, `v${name}`]) };
    case "zset":
      return { type, members: names, scores: names.map((_, index) => (start + index) / 3) };
    case "stream":
      return {
        type,
        entries: names.map((name, index) => ({
          id: streamIdOf(start + index + 1, 0),
          fields: ["f", name],
        })),
        length: 1030,
        lastId: streamIdOf(1030, 0),
        firstId: streamIdOf(1, 0),
        maxDeletedId: zeroStreamId,
        entriesAdded: 1030,
        groups: [],
      };
    default:
      return type satisfies never;
  }
}

for (const type of ["list", "set", "hash", "zset", "stream"] as const) {
  test(`a ${type} written in parts is read in parts, complete and in order`, () => {
    const encoder = new RdbEncoder();
    encoder.header(header);
    encoder.selectDb(0);
    // Of a stream its nodes are counted: here two in every other part, and one in the rest.
    encoder.beginCollection({ key: "k" }, type, type === "stream" ? 15 : 1030);
    for (let start = 0; start < 1030; start += 103) {
      const part = slice(type, start, 103);
      const divided = part.type === "stream" && start % 206 === 0;
      encoder.part(divided ? { ...part, nodeLengths: [100, 3] } : part);
    }
    encoder.key({ key: "after" }, { type: "string", value: 7 });
    encoder.end();
    const events = decodeAll(Buffer.concat(encoder.takeChunks()), 50, 200);
    const parts = events.flatMap((e) =>
      e.kind === "part" || (e.kind === "key" && e.key === "k") ? [e] : [],
    );
    assert.ok(parts.length >= 5);
    assert.deepEqual(
      parts.map((part) => part.more),
      parts.map((_, index) => index < parts.length - 1),
    );
    const values = parts.map((part) => part.value as RdbCollection);
    assert.equal(
      values.reduce((sum, part) => sum + elementCount(part), 0),
      1030,
    );
    const expected = slice(type, 0, 1030);
    const field = {
      list: "items",
      set: "members",
      hash: "pairs",
      zset: "members",
      stream: "entries",
    };
    const all = (v: RdbCollection): unknown[] => (v as never)[field[type] as never] as unknown[];
    assert.deepEqual(values.flatMap(all), all(expected));
    const after = events.at(-2);
    assert.ok(after?.kind === "key" && after.key === "after");
  });
}

test("the encoder holds its caller to the count it promised", () => {
  const encoder = new RdbEncoder();
  encoder.header(header);
  encoder.beginCollection({ key: "k" }, "list", 2);
  encoder.part({ type: "list", items: ["a"] });
  assert.throws(() => encoder.end(), /inside a collection/);
  assert.throws(() => encoder.part({ type: "list", items: ["b", "c"] }), /no more elements/);
});

test("header, auxiliary fields, functions and eviction data", () => {
  const encoder = new RdbEncoder({ checksum: false });
  const replication = { id: "f".repeat(40), offset: 123_456_789_012, streamDb: 3 };
  encoder.header({ ...header, replication, isAofBase: true });
  encoder.function("#!lua name=l\nredis.register_function('f', function() return 1 end)");
  encoder.selectDb(0);
  encoder.resizeDb(70_000, 1);
  encoder.key({ key: "a", idleSeconds: 99 }, { type: "string", value: "x" });
  encoder.key({ key: "b", frequency: 200, expireAt: 5 }, { type: "string", value: "y" });
  encoder.end();
  const bytes = Buffer.concat(encoder.takeChunks());
  assert.equal(bytes.toString("latin1", 0, 9), "REDIS0010");
  const events = decodeAll(bytes, 1);
  const aux = new Map(events.flatMap((e) => (e.kind === "aux" ? [[e.name, e.value]] : [])));
  assert.equal(aux.get("repl-offset"), "123456789012");
  assert.equal(aux.get("repl-id"), replication.id);
  assert.equal(aux.get("aof-base"), "1");
  const keys = events.flatMap((e) => (e.kind === "key" ? [e] : []));
  assert.deepEqual(
    keys.map((e) => [e.key, e.idleSeconds, e.frequency, e.expireAt]),
    [
      ["a", 99, -1, -1],
      ["b", -1, 200, 5],
    ],
  );
  assert.deepEqual(events.at(-1), { kind: "eof", checksum: "absent", emptyKeysSkipped: 0 });
});

function rdb(version: string, body: string): Buffer {
  return Buffer.from(`REDIS${version}${body}`, "latin1");
}

test("old formats, old versions without a checksum, and empty collections", () => {
  const seconds = "\xfd\x01\x00\x00\x00";
  const oldZset = "\x03\x01z\x03\x01a\x011\x01b\xfe\x01c\xff";
  const events = decodeAll(
    rdb("0001", `\xfe\x00${seconds}\x00\x01k\x01v${oldZset}\x01\x01e\x00\xff`),
    1,
  );
  const keys = events.flatMap((e) => (e.kind === "key" ? [e] : []));
  assert.equal(keys.length, 2);
  assert.equal(keys[0]?.expireAt, 1000);
  assert.deepEqual(keys[1]?.value, {
    type: "zset",
    members: ["a", "b", "c"],
    scores: [1, Infinity, -Infinity],
  });
  assert.deepEqual(events.at(-1), { kind: "eof", checksum: "absent", emptyKeysSkipped: 1 });
});

test("what cannot be read is refused by name", () => {
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [rdb("0013", ""), /version 13; versions 1 to 12/],
    [rdb("0000", ""), /version 0/],
    [Buffer.from("*1\r\n$4\r\nPING\r\n"), /this is no RDB/],
    [rdb("0010", "\x18\x01k"), /value type 24 \(hash with field expiry\)/],
    [rdb("0010", "\x07\x01k"), /module value/],
    [rdb("0010", "\x63\x01k"), /value type 99/],
    [rdb("0010", "\xf7"), /module/],
    [rdb("0010", "\xf0"), /section 240/],
    [rdb("0010", "\x00\x01k\x81\x00\x00\x00\x01\x00\x00\x00\x00"), /limit/],
    [rdb("0010", "\xff12345678"), /checksum is wrong/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => decodeAll(bytes, 4),
      (error) => error instanceof RdbError && message.test(error.message),
    );
  }
});

test("a truncated file is never finished", () => {
  const encoder = new RdbEncoder();
  encoder.header(header);
  encoder.key({ key: "k" }, slice("stream", 0, 150));
  encoder.end();
  const bytes = Buffer.concat(encoder.takeChunks());
  for (let cut = 0; cut < bytes.length; cut++) {
    const decoder = new RdbDecoder();
    decoder.push(bytes.subarray(0, cut));
    while (decoder.next() !== undefined);
    assert.equal(decoder.finished, false);
  }
});

test("what follows the data set is handed back", () => {
  const encoder = new RdbEncoder();
  encoder.header(header);
  encoder.end();
  const decoder = new RdbDecoder();
  decoder.push(Buffer.concat([...encoder.takeChunks(), Buffer.from("*1\r\n$4\r\nPING\r\n")]));
  while (!decoder.finished) decoder.next();
  assert.equal(decoder.takeRest().toString(), "*1\r\n$4\r\nPING\r\n");
});
