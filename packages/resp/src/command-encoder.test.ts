/** Commands to bytes, and back through the decoder. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  commandByteLength,
  encodeCommand,
  encodeCommandChunks,
  writeCommand,
} from "./command-encoder.js";
import { decodeCommands } from "./testing/feed.js";

test("a command is an array of bulk strings", () => {
  const bytes = encodeCommand(["SET", "k", Buffer.from([0xff]), ""]);
  assert.equal(bytes.toString("latin1"), "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n\xff\r\n$0\r\n\r\n");
});

test("writing at an offset leaves everything else alone", () => {
  const argv = ["GET", "x".repeat(30)];
  const target = Buffer.alloc(commandByteLength(argv) + 10, 0x2e);
  assert.equal(writeCommand(target, 4, argv), target.length - 6);
  assert.equal(target.toString("latin1"), `....*2\r\n$3\r\nGET\r\n$30\r\n${argv[1]}\r\n......`);
});

test("what is encoded decodes to the same arguments", () => {
  const argument = fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => Buffer.from(bytes).toString("latin1"));
  fc.assert(
    fc.property(
      fc.array(argument, { minLength: 1, maxLength: 120 }),
      fc.boolean(),
      (argv, asBytes) => {
        const given = asBytes ? argv.map((text) => Buffer.from(text, "latin1")) : argv;
        const bytes = encodeCommand(given);
        assert.equal(bytes.length, commandByteLength(given));
        assert.deepEqual(decodeCommands([bytes]).commands, [argv]);
        assert.deepEqual(Buffer.concat(encodeCommandChunks(given)), bytes);
      },
    ),
  );
});

test("large Buffers are chunks themselves", () => {
  const large = Buffer.alloc(70_000, 0x61);
  const argv = ["MSET", "a", large, "b", "c".repeat(70_000), "d", large];
  const chunks = encodeCommandChunks(argv);
  assert.equal(chunks.filter((chunk) => chunk === large).length, 2);
  assert.ok(Buffer.concat(chunks).equals(encodeCommand(argv)));
});
