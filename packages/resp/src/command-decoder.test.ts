/** Requests: vectors at every split, Redis' error texts, limits, large arguments, random bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandDecoder } from "./command-decoder.js";
import { ProtocolError } from "./errors.js";
import { NameCache } from "./name-cache.js";
import { byteByByte, cut, decodeCommands, everySplit, request, textOf } from "./testing/feed.js";
import type { FeedOptions } from "./testing/feed.js";

interface Vector {
  readonly name: string;
  readonly bytes: string;
  readonly commands?: readonly (readonly string[])[];
  readonly error?: string;
  readonly options?: FeedOptions;
}

const setOf = (length: number): string => `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${length}\r\n`;

const vectors: readonly Vector[] = [
  { name: "one command", bytes: "*1\r\n$4\r\nPING\r\n", commands: [["PING"]] },
  {
    name: "a pipeline",
    bytes:
      "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n$3\r\nset\r\n$1\r\nb\r\n$2\r\nxy\r\n*1\r\n$4\r\nPING\r\n",
    commands: [["GET", "a"], ["set", "b", "xy"], ["PING"]],
  },
  { name: "empty arguments", bytes: "*2\r\n$0\r\n\r\n$0\r\n\r\n", commands: [["", ""]] },
  {
    name: "line ends and NUL inside arguments",
    bytes: "*2\r\n$4\r\n\r\n\r\n\r\n$3\r\n\0\xff\n\r\n",
    commands: [["\r\n\r\n", "\0\xff\n"]],
  },
  {
    name: "ten and a hundred arguments",
    bytes: request(Array.from({ length: 10 }, (_, i) => `a${i}`))
      .toString("latin1")
      .concat(request(Array.from({ length: 100 }, (_, i) => `b${i}`)).toString("latin1")),
    commands: [
      Array.from({ length: 10 }, (_, i) => `a${i}`),
      Array.from({ length: 100 }, (_, i) => `b${i}`),
    ],
  },
  {
    name: "no arguments are no command",
    bytes: "*0\r\n*-1\r\n*-7\r\n*1\r\n$1\r\nx\r\n",
    commands: [["x"]],
  },
  {
    name: "any two bytes behind a bulk",
    bytes: "*2\r\n$1\r\naXY$1\r\nb\r\n",
    commands: [["a", "b"]],
  },
  { name: "any byte behind a header's CR", bytes: "*1\rX$1\rYab\n", commands: [["a"]] },
  {
    name: "inline",
    bytes: "PING\r\nset a  b\n\r\n\n  \r\nGET a\r\n",
    commands: [["PING"], ["set", "a", "b"], ["GET", "a"]],
  },
  { name: "inline quotes", bytes: "set \"a b\" 'c\\'d'\r\n", commands: [["set", "a b", "c'd"]] },
  {
    name: "inline and RESP mixed",
    bytes: "PING\r\n*1\r\n$1\r\nx\r\nPING\n",
    commands: [["PING"], ["x"], ["PING"]],
  },
  { name: "unbalanced quotes", bytes: 'get "a\r\n', error: "unbalanced quotes in request" },
  { name: "count without digits", bytes: "*\r\n", error: "invalid multibulk length" },
  { name: "count with a leading zero", bytes: "*03\r\n", error: "invalid multibulk length" },
  { name: "count minus zero", bytes: "*-0\r\n", error: "invalid multibulk length" },
  { name: "count with a plus", bytes: "*+1\r\n", error: "invalid multibulk length" },
  { name: "count with a letter", bytes: "*1x\r\n", error: "invalid multibulk length" },
  { name: "count with a blank", bytes: "* 1\r\n", error: "invalid multibulk length" },
  { name: "count beyond int", bytes: "*2147483648\r\n", error: "invalid multibulk length" },
  {
    name: "count below 64 bits",
    bytes: "*-9223372036854775809\r\n",
    error: "invalid multibulk length",
  },
  { name: "lowest count", bytes: "*-9223372036854775808\r\nPING\r\n", commands: [["PING"]] },
  { name: "not a bulk", bytes: "*1\r\nfoo\r\n", error: "expected '$', got 'f'" },
  { name: "a CR for a bulk", bytes: "*1\r\n\r\n", error: "expected '$', got ' '" },
  {
    name: "an integer for a bulk",
    bytes: "*2\r\n$3\r\nGET\r\n:1\r\n",
    commands: [],
    error: "expected '$', got ':'",
  },
  { name: "negative bulk", bytes: "*1\r\n$-1\r\n", error: "invalid bulk length" },
  { name: "bulk without digits", bytes: "*1\r\n$\r\n", error: "invalid bulk length" },
  { name: "bulk of 00", bytes: "*1\r\n$00\r\n\r\n", error: "invalid bulk length" },
  {
    name: "bulk beyond 64 bits",
    bytes: "*1\r\n$99999999999999999999\r\n",
    error: "invalid bulk length",
  },
  { name: "bulk of 512 MB and one", bytes: "*1\r\n$536870913\r\n", error: "invalid bulk length" },
  {
    name: "commands in front of an error",
    bytes: "*1\r\n$1\r\na\r\n*1\r\n$x\r\n",
    commands: [["a"]],
    error: "invalid bulk length",
  },
  {
    name: "unauthenticated count",
    bytes: "*11\r\n",
    error: "unauthenticated multibulk length",
    options: { authenticated: false },
  },
  {
    name: "unauthenticated bulk",
    bytes: "*1\r\n$16385\r\n",
    error: "unauthenticated bulk length",
    options: { authenticated: false },
  },
  {
    name: "unauthenticated and whole",
    bytes: "*11\r\n".concat("$1\r\na\r\n".repeat(11)),
    error: "unauthenticated multibulk length",
    options: { authenticated: false },
  },
  {
    name: "unauthenticated and small",
    bytes: "*10\r\n".concat("$1\r\na\r\n".repeat(10)),
    commands: [Array.from({ length: 10 }, () => "a")],
    options: { authenticated: false },
  },
  {
    name: "own bulk limit",
    bytes: "*1\r\n$6\r\nabcdef\r\n",
    error: "invalid bulk length",
    options: { limits: { bulkBytesMax: 5 } },
  },
  {
    name: "own count limit",
    bytes: "*3\r\n",
    error: "invalid multibulk length",
    options: { limits: { argumentCountMax: 2 } },
  },
  {
    name: "longest inline",
    bytes: "12345678\r\n",
    error: "too big inline request",
    options: { limits: { inlineBytesMax: 8 } },
  },
  {
    name: "inline at its limit",
    bytes: "12345678\n",
    commands: [["12345678"]],
    options: { limits: { inlineBytesMax: 8 } },
  },
  {
    name: "long count line",
    bytes: "*11111111\r\n",
    error: "too big mbulk count string",
    options: { limits: { inlineBytesMax: 8 } },
  },
  {
    name: "long bulk line",
    bytes: "*1\r\n$11111111\r\n",
    error: "too big bulk count string",
    options: { limits: { inlineBytesMax: 8 } },
  },
  { name: "nothing behind a NUL ends a line", bytes: "PI\0NG\r\nPING\r\n", commands: [] },
  { name: "an incomplete command", bytes: setOf(5).concat("abc"), commands: [] },
];

for (const vector of vectors) {
  test(`requests: ${vector.name}, whole and at every split`, () => {
    const bytes = Buffer.from(vector.bytes, "latin1");
    const expected = { commands: vector.commands ?? [], error: vector.error };
    for (const park of [false, true]) {
      const options = { ...vector.options, park };
      for (const chunks of [...everySplit(bytes), byteByByte(bytes)]) {
        assert.deepEqual(decodeCommands(chunks, options), expected, chunks.join("|"));
      }
    }
  });
}

test("an error is thrown again at each call", () => {
  const decoder = new CommandDecoder();
  decoder.push(Buffer.from("*x\r\nPING\r\n"));
  assert.throws(() => decoder.next(), ProtocolError);
  decoder.push(Buffer.from("PING\r\n"));
  assert.throws(() => decoder.next(), new ProtocolError("invalid multibulk length"));
});

test("a request in one buffer shows its own bytes; a split or inline one does not", () => {
  const decoder = new CommandDecoder();
  const bytes = request(["SET", "key", "value"]);
  decoder.push(Buffer.concat([bytes, bytes, Buffer.from("PING\r\n"), bytes.subarray(0, 20)]));
  for (const _ of [1, 2]) {
    assert.ok(decoder.next());
    assert.deepEqual(decoder.source.subarray(decoder.rawStart, decoder.rawEnd), bytes);
    assert.equal(decoder.inline, false);
  }
  assert.ok(decoder.next());
  assert.equal(decoder.rawStart, -1);
  assert.equal(decoder.inline, true);
  assert.equal(decoder.next(), false);
  assert.ok(decoder.isInsideCommand);
  decoder.push(Buffer.concat([bytes.subarray(20), bytes]));
  assert.ok(decoder.next());
  assert.equal(decoder.rawStart, -1);
  assert.deepEqual(decoder.argv, ["SET", "key", "value"]);
  assert.ok(decoder.next());
  assert.deepEqual(decoder.source.subarray(decoder.rawStart, decoder.rawEnd), bytes);
});

test("offsets and buffered bytes follow the reader", () => {
  const decoder = new CommandDecoder();
  const bytes = request(["GET", "a"]);
  decoder.push(Buffer.concat([bytes, bytes, bytes.subarray(0, 9)]));
  assert.ok(decoder.next());
  assert.equal(decoder.consumedBytes, bytes.length);
  assert.equal(decoder.bufferedBytes, 0);
  decoder.park();
  assert.equal(decoder.bufferedBytes, bytes.length + 9);
  assert.ok(decoder.next());
  assert.equal(decoder.next(), false);
  assert.equal(decoder.consumedBytes, bytes.length * 2, "a command counts when it is complete");
  assert.equal(decoder.bufferedBytes, 1, "its two headers have been read");
  decoder.push(bytes.subarray(9));
  assert.ok(decoder.next());
  assert.equal(decoder.consumedBytes, bytes.length * 3);
});

test("behind a command that lay across two chunks the reader goes on in the chunk itself", () => {
  const decoder = new CommandDecoder();
  const bytes = request(["SET", "key", "value"]);
  for (const held of [30, 32, 12]) {
    decoder.push(Buffer.concat([bytes, bytes.subarray(0, held)]));
    const before = decoder.consumedBytes;
    while (decoder.next());
    assert.equal(decoder.consumedBytes, before + bytes.length);
    const chunk = Buffer.concat([bytes.subarray(held), ...Array.from({ length: 99 }, () => bytes)]);
    decoder.push(chunk);
    assert.ok(decoder.next());
    assert.ok(decoder.next());
    assert.equal(decoder.source, chunk);
    while (decoder.next());
  }
});

test("an idle client keeps no large arguments, a small command does not inherit one", () => {
  const decoder = new CommandDecoder();
  decoder.push(request(["SET", "k", "v".repeat(10_000)]));
  assert.ok(decoder.next());
  assert.equal(decoder.next(), false);
  assert.deepEqual(decoder.argv, []);
  const large = request(["SET", "k", "v".repeat(100_000)]);
  decoder.push(Buffer.concat([large, request(["PING"])]));
  assert.ok(decoder.next());
  assert.ok(decoder.hasLargeArgument);
  assert.ok(decoder.next());
  assert.equal(decoder.hasLargeArgument, false);
});

test("what follows a command can be taken out raw", () => {
  const decoder = new CommandDecoder();
  decoder.push(Buffer.from("PING\r\nREDIS0010 raw"));
  assert.ok(decoder.next());
  assert.equal(decoder.takeRest().toString(), "REDIS0010 raw");
  assert.equal(decoder.next(), false);
});

test("arguments from 64 KiB on are Buffers with their own memory", () => {
  for (const [length, isLarge] of [
    [65_535, false],
    [65_536, true],
    [200_000, true],
  ] as const) {
    const value = "x".repeat(length);
    for (const chunkBytes of [length * 2, 65_536, 1000, 7]) {
      const decoder = new CommandDecoder();
      let commands = 0;
      for (const chunk of cut(request(["SET", "k", value, "tail"]), [chunkBytes])) {
        const lent = Buffer.from(chunk);
        decoder.push(lent);
        while (decoder.next()) {
          commands++;
          lent.fill(0xee);
          assert.equal(decoder.hasLargeArgument, isLarge);
          assert.equal(typeof decoder.argv[2], isLarge ? "object" : "string");
          assert.ok(textOf(decoder.argv[2]!) === value);
          assert.equal(decoder.argv[3], "tail");
          if (isLarge) assert.equal((decoder.argv[2] as Buffer).buffer.byteLength, length);
        }
        lent.fill(0xee);
      }
      assert.equal(commands, 1);
      decoder.push(request(["PING"]));
      assert.ok(decoder.next());
      assert.equal(decoder.hasLargeArgument, false);
      assert.deepEqual(decoder.argv, ["PING"]);
    }
  }
});

test("an announced size alone takes no memory", () => {
  const decoder = new CommandDecoder();
  const before = process.memoryUsage().arrayBuffers;
  decoder.push(Buffer.from("*2\r\n$3\r\nSET\r\n$536870912\r\nabc"));
  assert.equal(decoder.next(), false);
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
  assert.equal(decoder.bufferedBytes, 3);
});

test("work grows with the bytes, not with their square", () => {
  // Redone from zero at each byte, the first would copy 60 KiB 60 thousand times: 3.6 GB.
  const started = performance.now();
  const bulk = request(["SET", "k", "v".repeat(60 * 1024)]);
  assert.equal(decodeCommands(byteByByte(bulk)).commands.length, 1);
  const many = request(Array.from({ length: 300_000 }, () => "a"));
  const decoder = new CommandDecoder();
  let commands = 0;
  for (const chunk of cut(many, [1000])) {
    decoder.push(chunk);
    if (decoder.next()) commands++;
  }
  assert.equal(commands, 1);
  assert.equal(decoder.argv.length, 300_000);
  assert.equal(decoder.next(), false);
  assert.equal(decoder.argv.length, 0, "an idle client keeps no long argument list");
  assert.ok(performance.now() - started < 10_000);
});

test("a command name is the very string the cache was given", () => {
  const known = ["GET", "get", "SET", "mset"];
  const names = new NameCache(known);
  const decoder = new CommandDecoder({}, names);
  decoder.push(Buffer.concat([request(["mset", "a", "b"]), request(["nope"]), request(["mset"])]));
  const seen: unknown[] = [];
  while (decoder.next()) seen.push(decoder.argv[0]);
  assert.deepEqual(seen, ["mset", "nope", "mset"]);
});

test("names that share a place of the cache are not confused", () => {
  const names = new NameCache();
  // Prefixes of each other, so that comparing without the lengths would mistake some.
  for (let letter = 0; letter < 256; letter++) {
    for (const length of [32, 5, 31, 2, 17, 9, 1, 24, 3]) {
      const bytes = Buffer.alloc(length, letter);
      assert.equal(names.lookup(bytes, 0, length), bytes.toString("latin1"));
    }
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii", maxLength: 40 }), (name) => {
      const bytes = Buffer.from(name, "latin1");
      assert.equal(names.lookup(bytes, 0, bytes.length), name);
      assert.equal(names.lookup(bytes, 0, bytes.length), name);
    }),
  );
});

const binary = fc
  .uint8Array({ maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const commandList = fc.array(fc.array(binary, { minLength: 1, maxLength: 12 }), { maxLength: 12 });
const chunkLengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 });

test("any commands come back, however they are cut", () => {
  fc.assert(
    fc.property(commandList, chunkLengths, fc.boolean(), (commands, lengths, park) => {
      const bytes = Buffer.concat(commands.map(request));
      const decoded = decodeCommands(cut(bytes, lengths), { park });
      assert.deepEqual(decoded, { commands, error: undefined });
    }),
  );
});

test("any bytes end in commands, an error or a wait, and chunks do not matter", () => {
  const token = fc.constantFrom(
    "*",
    "$",
    "\r\n",
    "\n",
    "\r",
    "1",
    "2",
    "3",
    "-1",
    "0",
    "a",
    '"',
    "'",
    "\0",
    "\\",
    " ",
  );
  const noise = fc.array(fc.oneof(token, binary), { maxLength: 30 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(noise, chunkLengths, (text, lengths) => {
      const bytes = Buffer.from(text, "latin1");
      const options = { limits: { inlineBytesMax: 32 } };
      const whole = decodeCommands([bytes], options);
      assert.deepEqual(decodeCommands(cut(bytes, lengths), options), whole);
      assert.deepEqual(decodeCommands(byteByByte(bytes), options), whole);
    }),
    { numRuns: 1000 },
  );
});
