import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandDecoder, encodeCommand } from "@slotlog/resp";
import fc from "fast-check";
import { ReplicationHistory } from "./core/history.js";
import { StreamReader } from "./stream-reader.js";

function reader(): {
  stream: StreamReader;
  history: ReplicationHistory;
  applied: string[];
  acks: number[];
} {
  const history = new ReplicationHistory(() => "a".repeat(40));
  history.adopt({ id: "b".repeat(40), offset: 1000 }, 1 << 20);
  const applied: string[] = [];
  const acks: number[] = [];
  const stream = new StreamReader({
    target: { apply: (database, argv) => void applied.push(`${database} ${argv.join(" ")}`) },
    history,
    decoder: new CommandDecoder({ bulkBytesMax: Number.POSITIVE_INFINITY }),
    database: 2,
    onAckWanted: (offset) => void acks.push(offset),
    onAppended: () => {},
  });
  return { stream, history, applied, acks };
}

function bytesOf(history: ReplicationHistory): Buffer {
  const parts: Buffer[] = [];
  let offset = 1001;
  for (;;) {
    const slice = history.backlog?.read(offset);
    if (slice === undefined) return Buffer.concat(parts);
    parts.push(slice);
    offset += slice.length;
  }
}

const commands: readonly (readonly string[])[] = [
  ["SET", "a", "1"],
  ["SELECT", "5"],
  ["PING"],
  ["MULTI"],
  ["SET", "b", "x".repeat(70_000)],
  ["SET", "c", "3"],
  ["EXEC"],
  ["REPLCONF", "GETACK", "*"],
  ["DEL", "a"],
];
const all = Buffer.concat(commands.map((command) => encodeCommand([...command])));
/** Where a replica of ours may stand: behind each command that is in no transaction. */
const boundaries = new Set<number>([0]);
let end = 0;
for (const [index, command] of commands.entries()) {
  end += encodeCommand([...command]).length;
  if (index < 3 || index > 5) boundaries.add(end);
}

test("however the stream is cut, the history is a verbatim prefix that ends at a boundary", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(all.length), { maxLength: 12 }), (cuts) => {
      const { stream, history, applied, acks } = reader();
      const places = [...cuts, all.length].sort((left, right) => left - right);
      let from = 0;
      for (const to of places) {
        const piece = Buffer.from(all.subarray(from, to));
        if (piece.length > 0) stream.push(piece);
        piece.fill(0xaa);
        from = to;
        const done = history.offset - 1000;
        assert.ok(boundaries.has(done), `the history ends at ${done}`);
        assert.equal(done + stream.pendingBytes, to);
      }
      assert.deepEqual(bytesOf(history), all);
      assert.deepEqual(
        applied.map((text) => text.slice(0, 10)),
        ["2 SET a 1", "5 MULTI", "5 SET b xx", "5 SET c 3", "5 EXEC", "5 DEL a"],
      );
      assert.equal(stream.database, 5);
      // The request itself is not counted: its bytes were not executed when it was answered.
      assert.deepEqual(acks, [1000 + all.indexOf("*3\r\n$8\r\nREPLCONF")]);
    }),
    { numRuns: 200 },
  );
});

test("what a transaction selects is for what follows it there, and counts from EXEC on", () => {
  const { stream, applied } = reader();
  for (const line of [
    ...["SELECT 1", "MULTI", "DEL k", "SELECT 0", "MOVE k 1", "EXEC", "SET a 1"],
    ...["MULTI", "SELECT 3", "SET b 1", "DISCARD", "SET c 1"],
  ]) {
    stream.push(encodeCommand(line.split(" ")));
  }
  assert.deepEqual(applied, [
    ...["1 MULTI", "1 DEL k", "1 SELECT 0", "1 MOVE k 1", "1 EXEC", "0 SET a 1"],
    ...["0 MULTI", "0 SELECT 3", "0 SET b 1", "0 DISCARD", "0 SET c 1"],
  ]);
});

test("bare line feeds between commands are part of the stream", () => {
  const { stream, history } = reader();
  stream.push(Buffer.concat([Buffer.from("\r\n"), encodeCommand(["DEL", "x"])]));
  assert.equal(history.offset, 1000 + 2 + encodeCommand(["DEL", "x"]).length);
});
