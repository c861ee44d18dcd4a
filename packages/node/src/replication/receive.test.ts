import assert from "node:assert/strict";
import { test } from "node:test";
import { RdbEncoder, type RdbEvent } from "../rdb/index.js";
import { DataSetReceiver, type ReceiveResult } from "./receive.js";

const mark = "0123456789abcdef".repeat(2) + "01234567";

function dataSet(): Buffer {
  const encoder = new RdbEncoder();
  encoder.header({
    redisVersion: "7.0.0",
    createdAt: 0,
    usedMemoryBytes: 0,
    isAofBase: false,
    replication: { id: "a".repeat(40), offset: 7, streamDb: 3 },
  });
  encoder.selectDb(0);
  encoder.key({ key: "k" }, { type: "string", value: "v" });
  encoder.end();
  return Buffer.concat(encoder.takeChunks());
}

class Target {
  readonly calls: string[] = [];
  begin(): void {
    this.calls.push("begin");
  }
  apply(event: RdbEvent): void {
    if (event.kind === "key") this.calls.push(`key ${String(event.key)}`);
  }
  commit(): void {
    this.calls.push("commit");
  }
  abort(): void {
    this.calls.push("abort");
  }
}

function feed(pieces: readonly Buffer[]): {
  result: ReceiveResult;
  target: Target;
  receiver: DataSetReceiver;
} {
  const target = new Target();
  const receiver = new DataSetReceiver(target, { id: "a".repeat(40), offset: 7 });
  let result: ReceiveResult = { kind: "wait" };
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    const copy = Buffer.from(piece);
    result = receiver.push(copy);
    copy.fill(0xaa);
    if (result.kind !== "wait") break;
  }
  return { result, target, receiver };
}

const rdb = dataSet();
const stream = Buffer.from("*1\r\n$4\r\nPING\r\n");
const framings: readonly (readonly [string, Buffer])[] = [
  ["a length", Buffer.concat([Buffer.from(`\n\n$${rdb.length}\r\n`), rdb])],
  ["an end mark", Buffer.concat([Buffer.from(`\n$EOF:${mark}\r\n`), rdb, Buffer.from(mark)])],
];

for (const [name, bytes] of framings) {
  test(`a data set framed by ${name}, cut at every place`, () => {
    const all = Buffer.concat([bytes, stream]);
    for (let cut = 0; cut <= all.length; cut++) {
      const { result, target, receiver } = feed([all.subarray(0, cut), all.subarray(cut)]);
      assert.ok(result.kind === "done", `cut at ${cut}: ${JSON.stringify(result)}`);
      const whole = cut >= bytes.length ? cut - bytes.length : all.length - bytes.length;
      assert.equal(result.rest.length, whole, `cut at ${cut}`);
      assert.ok(stream.subarray(0, whole).equals(result.rest));
      assert.deepEqual(target.calls, ["begin", "key k"]);
      assert.equal(receiver.streamDatabase, 3);
    }
  });

  test(`a data set framed by ${name}, byte by byte, and damaged anywhere`, () => {
    const bytewise = Array.from(bytes, (byte) => Buffer.from([byte]));
    assert.equal(feed(bytewise).result.kind, "done");
    const start = bytes.indexOf("REDIS");
    for (let at = start; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x21;
      const { result, receiver, target } = feed([damaged]);
      assert.notEqual(result.kind, "done", `byte ${at}`);
      receiver.abort();
      assert.equal(target.calls.at(-1), "abort");
    }
  });
}

test("what is no data set is refused", () => {
  const refuse = (text: string): string => {
    const { result } = feed([Buffer.from(text, "latin1")]);
    return result.kind === "failed" ? result.reason : result.kind;
  };
  assert.match(refuse("-ERR no space\r\n"), /gave up the synchronisation: ERR no space/);
  assert.match(refuse("+OK\r\n"), /bad protocol/);
  assert.match(refuse("$-1\r\n"), /bad protocol/);
  assert.match(refuse("x".repeat(2000)), /no length/);
  assert.match(refuse(`$10\r\n${"x".repeat(10)}`), /no RDB/);
  assert.match(refuse(`$${rdb.length + 5}\r\n${rdb.toString("latin1")}12345`), /not as long/);
});
