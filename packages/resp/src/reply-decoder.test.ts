/** Replies read back: every type at every split, limits, depth, and what the writer wrote. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError, ReplyError } from "./errors.js";
import { ReplyDecoder } from "./reply-decoder.js";
import type { ReplyDecoderOptions } from "./reply-decoder.js";
import { ReplyMap, ReplyPush, ReplySet, VerbatimString } from "./reply-values.js";
import type { ReplyValue } from "./reply-values.js";
import { byteByByte, cut, everySplit } from "./testing/feed.js";
import { written } from "./testing/sink.js";

function decode(
  chunks: readonly Buffer[],
  options: ReplyDecoderOptions = {},
): { readonly values: ReplyValue[]; readonly error: string | undefined } {
  const decoder = new ReplyDecoder(options);
  const values: ReplyValue[] = [];
  try {
    for (const chunk of chunks) {
      const lent = Buffer.from(chunk);
      decoder.push(lent);
      for (let value = decoder.next(); value !== undefined; value = decoder.next()) {
        values.push(value);
      }
      lent.fill(0xee);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { values, error: error.message };
  }
  return { values, error: undefined };
}

const replies: readonly (readonly [string, readonly ReplyValue[]])[] = [
  ["+OK\r\n+\r\n", ["OK", ""]],
  ["-WRONGTYPE no\r\n", [new ReplyError("WRONGTYPE no")]],
  [":0\r\n:-7\r\n:9007199254740991\r\n", [0, -7, 9007199254740991]],
  [":9223372036854775807\r\n:-9223372036854775808\r\n", [2n ** 63n - 1n, -(2n ** 63n)]],
  ["$3\r\na\r\n\r\n$0\r\n\r\n$-1\r\n", ["a\r\n", "", null]],
  ["*0\r\n*-1\r\n*2\r\n:1\r\n$1\r\nx\r\n", [[], null, [1, "x"]]],
  ["*2\r\n*1\r\n*1\r\n:1\r\n*0\r\n", [[[[1]], []]]],
  ["_\r\n#t\r\n#f\r\n", [null, true, false]],
  [",1.5\r\n,-3\r\n,inf\r\n,-inf\r\n,1e-7\r\n", [1.5, -3, Infinity, -Infinity, 1e-7]],
  [",nan\r\n", [NaN]],
  ["(123456789012345678901234567890\r\n", [123456789012345678901234567890n]],
  [
    "=7\r\ntxt:abc\r\n=4\r\nmkd:\r\n",
    [new VerbatimString("txt", "abc"), new VerbatimString("mkd", "")],
  ],
  ["!5\r\nERR x\r\n", [new ReplyError("ERR x")]],
  [
    "%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n%0\r\n",
    [
      new ReplyMap([
        ["a", 1],
        ["b", []],
      ]),
      new ReplyMap([]),
    ],
  ],
  ["~2\r\n+a\r\n:1\r\n", [new ReplySet(["a", 1])]],
  [">2\r\n+message\r\n+x\r\n:1\r\n", [new ReplyPush(["message", "x"]), 1]],
  ["|1\r\n+ttl\r\n:5\r\n+value\r\n", ["value"]],
  ["*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:1\r\n:2\r\n", [[1, 2]]],
  ["\n\n+CONTINUE\r\n\n", ["CONTINUE"]],
];

for (const [text, values] of replies) {
  test(`replies: ${JSON.stringify(text)} at every split`, () => {
    const bytes = Buffer.from(text, "latin1");
    for (const chunks of [...everySplit(bytes), byteByByte(bytes)]) {
      assert.deepEqual(decode(chunks), { values, error: undefined });
    }
  });
}

const wrong: readonly string[] = [
  "?\r\n",
  "\r\n",
  "hello\r\n",
  ":\r\n",
  ":1x\r\n",
  ":+1\r\n",
  "$-2\r\n",
  "$536870913\r\n",
  "$1\r\nabc\r\n",
  "*-2\r\n",
  "*99999999999\r\n",
  "#x\r\n",
  "_x\r\n",
  ",\r\n",
  ",abc\r\n",
  "(1.5\r\n",
  "=3\r\ntxt\r\n",
  "*1\r\n>1\r\n:1\r\n",
  "$?\r\n",
  "$EOF:0123456789012345678901234567890123456789\r\n",
];

for (const text of wrong) {
  test(`replies: ${JSON.stringify(text)} is a protocol error at every split`, () => {
    const bytes = Buffer.from(text, "latin1");
    const { values, error } = decode([bytes]);
    assert.deepEqual(values, []);
    assert.ok(error !== undefined);
    for (const chunks of [...everySplit(bytes), byteByByte(bytes)]) {
      assert.deepEqual(decode(chunks), { values, error });
    }
  });
}

test("depth has a limit and no recursion behind it", () => {
  const nested = (depth: number): Buffer => Buffer.from(`${"*1\r\n".repeat(depth)}:1\r\n`);
  assert.equal(decode([nested(128)]).error, undefined);
  assert.match(decode([nested(129)]).error ?? "", /nested deeper than 128/);
  const deep = decode([nested(100_000)], { limits: { depthMax: 100_000 } });
  assert.equal(deep.error, undefined);
  assert.equal(deep.values.length, 1);
});

test("lines, counts and whole replies have limits", () => {
  const limits = { lineBytesMax: 10, aggregateLengthMax: 3, replyBytesMax: 40, bulkBytesMax: 100 };
  const errorOf = (text: string): string => decode([Buffer.from(text)], { limits }).error ?? "";
  assert.match(errorOf("+12345678901"), /line of more than 10/);
  assert.match(errorOf("*4\r\n"), /not between 0 and 3/);
  assert.match(errorOf("%4\r\n"), /not between 0 and 3/);
  assert.match(errorOf(`*2\r\n$30\r\n${"a".repeat(30)}\r\n+abc\r\n`), /more than 40 bytes/);
  assert.equal(errorOf(`$30\r\n${"a".repeat(30)}\r\n`.repeat(9)), "");
});

test("bulk strings are strings, Buffers when large, and all Buffers on request", () => {
  const large = "x".repeat(200_000);
  const bytes = Buffer.from(`$3\r\nabc\r\n$200000\r\n${large}\r\n`);
  for (const chunkBytes of [bytes.length, 65_536, 999]) {
    const asStrings = decode(cut(bytes, [chunkBytes])).values;
    assert.equal(asStrings[0], "abc");
    assert.ok(Buffer.isBuffer(asStrings[1]) && asStrings[1].equals(Buffer.from(large)));
    const asBuffers = decode(cut(bytes, [chunkBytes]), { bulks: "buffer" }).values;
    assert.deepEqual(asBuffers[0], Buffer.from("abc"));
  }
});

test("attributes of the reply are kept beside it, until the next reply", () => {
  const decoder = new ReplyDecoder();
  decoder.push(Buffer.from("|1\r\n+ttl\r\n:5\r\n+value\r\n+next\r\n"));
  assert.equal(decoder.next(), "value");
  assert.equal(decoder.attributes?.get("ttl"), 5);
  assert.equal(decoder.next(), "next");
  assert.equal(decoder.attributes, undefined);
});

test("the payload of a full synchronisation is handed over behind its line", () => {
  const decoder = new ReplyDecoder();
  decoder.push(Buffer.from("+FULLRESYNC abc 1\r\n$EOF:xyz\r\nREDIS"));
  assert.equal(decoder.next(), "FULLRESYNC abc 1");
  assert.equal(decoder.takeRest().toString(), "$EOF:xyz\r\nREDIS");
  assert.equal(decoder.next(), undefined);
});

const scalar = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.maxSafeInteger().map((value) => (value === 0 ? 0 : value)),
  fc.constantFrom(null, true, false),
  fc.bigInt({ min: 2n ** 54n, max: 2n ** 70n }),
);
const value = fc.letrec<{ value: ReplyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.array(tie("value"), { maxLength: 6 }).map((members) => new ReplySet(members)),
    fc
      .array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 })
      .map((entries) => new ReplyMap(entries)),
  ),
})).value;

test("what the writer writes in RESP3 is read back, however it is cut", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), lengths, (values, chunkLengths) => {
      const text = written((w) => {
        const write = (one: ReplyValue): void => {
          if (one === null) w.nil();
          else if (typeof one === "string") w.bulk(one);
          else if (typeof one === "number") w.integer(one);
          else if (typeof one === "bigint") w.bigNumber(one);
          else if (typeof one === "boolean") w.boolean(one);
          else if (one instanceof ReplySet) {
            w.set(one.members.length);
            one.members.forEach(write);
          } else if (one instanceof ReplyMap) {
            w.map(one.entries.length);
            for (const [key, held] of one.entries) {
              write(key);
              write(held);
            }
          } else if (Array.isArray(one)) {
            w.array(one.length);
            one.forEach(write);
          }
        };
        values.forEach(write);
      }, 3);
      const decoded = decode(cut(Buffer.from(text, "latin1"), chunkLengths));
      assert.deepEqual(decoded, { values, error: undefined });
    }),
  );
});

test("any bytes end in replies, an error or a wait, and chunks do not matter", () => {
  const token = fc.constantFrom(
    "*",
    "$",
    "%",
    "~",
    ">",
    "|",
    "+",
    "-",
    ":",
    "=",
    "!",
    "_",
    "#t",
    ",",
    "(",
    "\r\n",
    "\n",
    "\r",
    "1",
    "2",
    "-1",
    "0",
    "a",
  );
  const limits = { lineBytesMax: 12, replyBytesMax: 60, depthMax: 4 };
  fc.assert(
    fc.property(
      fc.array(token, { maxLength: 40 }),
      fc.array(fc.nat(9), { minLength: 1 }),
      (tokens, lengths) => {
        const bytes = Buffer.from(tokens.join(""), "latin1");
        const whole = decode([bytes], { limits });
        assert.deepEqual(decode(cut(bytes, lengths), { limits }), whole);
        assert.deepEqual(decode(byteByByte(bytes), { limits }), whole);
      },
    ),
    { numRuns: 1000 },
  );
});
