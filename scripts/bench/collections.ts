// Memory of a million small collections of each type, beside redis-server.

import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { contenderNames, startContender } from "./contenders.js";
import { encoded, send } from "./fill.js";
import { describeMachine, residentBytes } from "./machine.js";
import { settled } from "./memory.js";

const defaultCollections = 1_000_000;
const elements = Array.from({ length: 10 }, (_, index) => `element:${index}${index}`);

const writes: Readonly<Record<string, (key: string) => readonly string[]>> = {
  hash: (key) => ["HSET", key, ...elements.flatMap((element) => [element, element])],
  set: (key) => ["SADD", key, ...elements],
  list: (key) => ["RPUSH", key, ...elements],
  zset: (key) => ["ZADD", key, ...elements.flatMap((element, index) => [`${index}`, element])],
};

interface Result {
  readonly type: string;
  readonly name: string;
  readonly residentMb: number;
  readonly bytesEach: number;
}

export async function collections(options: BenchOptions): Promise<void> {
  const count = options.keys ?? (options.quick ? defaultCollections / 10 : defaultCollections);
  const results: Result[] = [];
  for (const [type, words] of Object.entries(writes)) {
    for (const name of contenderNames) {
      await using server = await startContender(name, ["--appendonly", "no"], options.heapMb);
      const before = residentBytes(server.pid) ?? Number.NaN;
      const command = (index: number): string =>
        encoded(words(`key:${String(index).padStart(12, "0")}`));
      await send({ port: server.port, from: 0, to: count, command, replyLines: 1, batch: 100 });
      const { resident } = await settled(server.pid);
      const bytesEach = (resident - before) / count;
      results.push({ type, name, residentMb: resident / 1e6, bytesEach });
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), count, results }));
    return;
  }
  console.log(`${describeMachine()}, ${count} keys, 10 elements of 10 bytes each\n`);
  const rows = results.map((result) => {
    const base = results.find(({ type }) => type === result.type);
    return [
      `${result.name}, ${result.type}`,
      result.residentMb.toFixed(0),
      (result.residentMb / (base?.residentMb ?? Number.NaN)).toFixed(2),
      result.bytesEach.toFixed(0),
    ];
  });
  console.log(textTable([["", "resident MB", "ratio", "bytes each"], ...rows]));
}
