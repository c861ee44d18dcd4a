/** Replies: each kind in both protocols, deferred lengths, rollback, and the arena's memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReplyWriter } from "./reply-writer.js";
import { CollectingSink, written } from "./testing/sink.js";

const kinds: readonly [string, (w: ReplyWriter) => void, resp2: string, resp3: string][] = [
  ["ok", (w) => w.ok(), "+OK\r\n", "+OK\r\n"],
  ["simple", (w) => w.simple("PONG"), "+PONG\r\n", "+PONG\r\n"],
  ["error", (w) => w.error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"],
  ["integer", (w) => w.integer(-12345), ":-12345\r\n", ":-12345\r\n"],
  [
    "big integer",
    (w) => w.bigInteger(2n ** 63n - 1n),
    ":9223372036854775807\r\n",
    ":9223372036854775807\r\n",
  ],
  ["bulk", (w) => w.bulk("a\xff\0"), "$3\r\na\xff\0\r\n", "$3\r\na\xff\0\r\n"],
  ["bulk bytes", (w) => w.bulk(Buffer.from([1, 255])), "$2\r\n\x01\xff\r\n", "$2\r\n\x01\xff\r\n"],
  ["empty bulk", (w) => w.bulk(""), "$0\r\n\r\n", "$0\r\n\r\n"],
  ["bulk integer", (w) => w.bulkInteger(-7), "$2\r\n-7\r\n", "$2\r\n-7\r\n"],
  ["nil", (w) => w.nil(), "$-1\r\n", "_\r\n"],
  ["nil array", (w) => w.nilArray(), "*-1\r\n", "_\r\n"],
  ["array", (w) => w.array(12), "*12\r\n", "*12\r\n"],
  ["map", (w) => w.map(5), "*10\r\n", "%5\r\n"],
  ["set", (w) => w.set(2), "*2\r\n", "~2\r\n"],
  ["push", (w) => w.push(3), "*3\r\n", ">3\r\n"],
  ["double", (w) => w.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"],
  ["infinity", (w) => w.double(-Infinity), "$4\r\n-inf\r\n", ",-inf\r\n"],
  ["double text", (w) => w.doubleText("0.1"), "$3\r\n0.1\r\n", ",0.1\r\n"],
  ["true", (w) => w.boolean(true), ":1\r\n", "#t\r\n"],
  ["false", (w) => w.boolean(false), ":0\r\n", "#f\r\n"],
  [
    "big number",
    (w) => w.bigNumber(10n ** 20n),
    "$21\r\n100000000000000000000\r\n",
    "(100000000000000000000\r\n",
  ],
  ["verbatim", (w) => w.verbatim("txt", "abc"), "$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n"],
  ["raw", (w) => w.raw(Buffer.from("+x\r\n")), "+x\r\n", "+x\r\n"],
];

for (const [name, write, resp2, resp3] of kinds) {
  test(`replies: ${name}`, () => {
    assert.equal(written(write, 2), resp2);
    assert.equal(written(write, 3), resp3);
  });
}

test("an attribute has no form in RESP2", () => {
  assert.equal(
    written((w) => w.attribute(1), 3),
    "|1\r\n",
  );
  assert.throws(() => written((w) => w.attribute(1), 2), /attribute in RESP2/);
});

test("any safe integer is written as JavaScript prints it", () => {
  const special = [
    0,
    9,
    10,
    99,
    100,
    999_999,
    1e6,
    2 ** 30,
    2 ** 31,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
  ];
  const any = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...special, ...special.map((n) => -n)));
  fc.assert(
    fc.property(any, (value) => {
      const digits = String(value === 0 ? 0 : value);
      assert.equal(
        written((w) => w.integer(value)),
        `:${digits}\r\n`,
      );
      assert.equal(
        written((w) => w.bulkInteger(value)),
        `$${digits.length}\r\n${digits}\r\n`,
      );
    }),
  );
  for (const wrong of [1.5, NaN, Infinity, 2 ** 53]) {
    assert.throws(() => written((w) => w.integer(wrong)), RangeError);
  }
});

test("texts of every length around the limit of the loop", () => {
  for (let length = 0; length < 60; length++) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode((i * 37) % 256)).join("");
    const expected = `$${length}\r\n${text}\r\n`;
    assert.equal(
      written((w) => w.bulk(text)),
      expected,
    );
    assert.equal(
      written((w) => w.bulk(Buffer.from(text, "latin1"))),
      expected,
    );
  }
});

test("large values are copies in chunks of their own", () => {
  for (const length of [65_535, 65_536, 300_000]) {
    const writer = new ReplyWriter();
    const chunks: Buffer[] = [];
    const value = Buffer.alloc(length, 0x61);
    writer.attach({ chunk: (bytes) => void chunks.push(bytes) }, 2);
    writer.bulk(value);
    writer.bulk(value.toString("latin1"));
    writer.error("E".repeat(length));
    writer.detach();
    value.fill(0x62);
    const expected = `$${length}\r\n${"a".repeat(length)}\r\n`;
    const text = Buffer.concat(chunks).toString("latin1");
    assert.ok(text === `${expected}${expected}-${"E".repeat(length)}\r\n`);
    assert.equal(
      chunks.some((chunk) => chunk.length === length),
      length >= 65_536,
    );
  }
});

test("a detached region is one chunk, and nothing written gives none", () => {
  const writer = new ReplyWriter();
  const sink = new CollectingSink();
  writer.attach(sink, 2);
  assert.equal(writer.pending, 0);
  writer.ok();
  writer.integer(1);
  assert.equal(writer.pending, 9);
  writer.detach();
  writer.attach(sink, 2);
  writer.detach();
  assert.deepEqual(sink.chunks.map(String), ["+OK\r\n:1\r\n"]);
});

test("attachments do not nest, and what is open must be ended", () => {
  const writer = new ReplyWriter();
  const sink = new CollectingSink();
  assert.throws(() => writer.detach(), /without attach/);
  writer.attach(sink, 2);
  assert.throws(() => writer.attach(sink, 2), /still attached/);
  assert.throws(() => writer.recycle(), /still attached/);
  const mark = writer.deferArray();
  assert.throws(() => writer.detach(), /never ended/);
  const inner = writer.deferArray();
  assert.throws(() => writer.endArray(mark, 1), /out of order/);
  assert.ok(inner > mark);
});

test("chunks keep their bytes until they are recycled, and forever when abandoned", () => {
  const writer = new ReplyWriter(1024);
  const held: Buffer[] = [];
  const sink = { chunk: (bytes: Buffer) => void held.push(bytes) };
  const texts: string[] = [];
  for (let i = 0; i < 100; i++) {
    writer.attach(sink, 2);
    writer.bulk(`${i}`.repeat(10));
    texts.push(`$${`${i}`.length * 10}\r\n${`${i}`.repeat(10)}\r\n`);
    writer.detach();
    if (i % 7 === 0) writer.abandon();
  }
  assert.deepEqual(held.map(String), texts);
  writer.recycle();
  writer.attach(sink, 2);
  writer.ok();
  writer.detach();
  assert.equal(String(held.at(-1)), "+OK\r\n");
});

test("all arenas of an abandoned reply stay its own", () => {
  const writer = new ReplyWriter(1024);
  const held: Buffer[] = [];
  writer.attach({ chunk: (bytes) => void held.push(bytes) }, 2);
  for (let i = 0; i < 100; i++) writer.bulk("y".repeat(100));
  writer.detach();
  const before = Buffer.concat(held).toString();
  writer.abandon();
  for (let round = 0; round < 3; round++) {
    writer.attach(new CollectingSink(), 2);
    for (let i = 0; i < 100; i++) writer.bulk("z".repeat(100));
    writer.detach();
    writer.recycle();
  }
  assert.equal(Buffer.concat(held).toString(), before);
});

test("what is abandoned in small pieces shares its memory, and is never written over", () => {
  const writer = new ReplyWriter(1024);
  const arenas = new Set<ArrayBufferLike>();
  const kept: { bytes: Buffer; text: string }[] = [];
  const turn: Buffer[] = [];
  const sink = { chunk: (bytes: Buffer) => void turn.push(bytes) };
  for (let round = 0; round < 2000; round++) {
    turn.length = 0;
    // Some replies take more than one arena.
    const text = `${round}`.repeat(round % 97 === 0 ? 900 : (round % 5) + 1);
    writer.attach(sink, 2);
    writer.bulk(text);
    if (round % 97 === 0) for (let more = 0; more < 20; more++) writer.bulk(text.slice(0, 100));
    writer.detach();
    for (const bytes of turn) arenas.add(bytes.buffer);
    if (round % 3 === 0) writer.recycle();
    else {
      for (const bytes of turn) kept.push({ bytes, text: bytes.toString() });
      writer.abandon();
    }
  }
  for (const { bytes, text } of kept) assert.equal(bytes.toString(), text);
  assert.ok(arenas.size < 200, `${arenas.size} arenas for ${kept.length} chunks`);
});

test("deferred lengths of one digit and of many, inside each other", () => {
  const write = (inner: number, outer: number) => (w: ReplyWriter) => {
    const mark = w.deferMap();
    for (let i = 0; i < outer; i++) {
      w.integer(i);
      const elements = w.deferSet();
      for (let j = 0; j < inner; j++) w.bulk("x");
      w.endSet(elements, inner);
    }
    w.endMap(mark, outer);
    w.ok();
  };
  for (const [inner, outer] of [
    [0, 0],
    [3, 2],
    [12, 11],
    [120, 1000],
  ] as const) {
    for (const protocol of [2, 3] as const) {
      const header = protocol === 3 ? `%${outer}` : `*${outer * 2}`;
      const elements = `${protocol === 3 ? "~" : "*"}${inner}\r\n${"$1\r\nx\r\n".repeat(inner)}`;
      const entries = Array.from({ length: outer }, (_, i) => `:${i}\r\n${elements}`).join("");
      for (const arenaBytes of [1024, 256 * 1024]) {
        const text = written(write(inner, outer), protocol, arenaBytes);
        assert.ok(text === `${header}\r\n${entries}+OK\r\n`, `${inner} ${outer} ${arenaBytes}`);
      }
    }
  }
});

/** A reply as a tree, written with deferred headers, and with parts that are taken back. */
type Tree =
  | { readonly text: string }
  | { readonly dropped: Tree }
  | { readonly elements: readonly Tree[] };

const tree = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.integer({ min: 0, max: 700 }).map((length) => ({ text: "t".repeat(length) })),
    tie("tree").map((dropped) => ({ dropped })),
    fc.array(tie("tree"), { maxLength: 14 }).map((elements) => ({ elements })),
  ),
})).tree;

function writeTree(w: ReplyWriter, node: Tree): number {
  if ("text" in node) {
    w.bulk(node.text);
    return 1;
  }
  if ("dropped" in node) {
    const mark = w.mark();
    writeTree(w, node.dropped);
    w.deferArray();
    w.rollback(mark);
    return 0;
  }
  const mark = w.deferArray();
  let count = 0;
  for (const element of node.elements) count += writeTree(w, element);
  w.endArray(mark, count);
  return 1;
}

function expectedOf(node: Tree): string[] {
  if ("text" in node) return [`$${node.text.length}\r\n${node.text}\r\n`];
  if ("dropped" in node) return [];
  const elements = node.elements.flatMap(expectedOf);
  return [`*${elements.length}\r\n${elements.join("")}`];
}

test("deferred lengths and rollbacks of any shape, in arenas of any size", () => {
  fc.assert(
    fc.property(
      fc.array(tree, { maxLength: 5 }),
      fc.constantFrom(1024, 1500, 4096, 262_144),
      (nodes, arenaBytes) => {
        const text = written((w) => nodes.forEach((node) => writeTree(w, node)), 2, arenaBytes);
        assert.equal(text, nodes.flatMap(expectedOf).join(""));
      },
    ),
    { numRuns: 500 },
  );
});

test("a rollback goes back over chunks that are full", () => {
  const text = written(
    (w) => {
      w.ok();
      const mark = w.mark();
      for (let i = 0; i < 1000; i++) w.bulk("y".repeat(100));
      w.bulk("z".repeat(100_000));
      w.rollback(mark);
      w.error("ERR undone");
    },
    2,
    1024,
  );
  assert.equal(text, "+OK\r\n-ERR undone\r\n");
});
