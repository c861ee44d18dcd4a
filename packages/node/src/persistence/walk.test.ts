/**
 * A rewrite that is interrupted at every slice of its walk by every command that touches more than
 * one key or whole tables: the base and the increment together must be what is in memory. RPUSH and
 * INCR stand before and behind each as witnesses, since they show a record that is applied twice.
 *
 * The keys lie where their hashes put them, and the interruption moves over the whole walk: so each
 * command meets its source and its target both passed, neither, and one of the two. Each command
 * tries every fifth slice, from another one on; `WALK_SLICES=all` tries all of them.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deleteSlotKeys } from "../cluster/membership.js";
import type { NodeConfig } from "../config/config.js";
import { datasetDigest } from "../commands/server/debug/digest.js";
import { CommandRunner } from "../testing/command-harness.js";
import { SimDisk } from "../testing/sim-disk.js";
import { SimServer } from "../testing/sim-server.js";

const stride = process.env["WALK_SLICES"] === "all" ? 1 : 5;
const fillerKeys = 150;
/** Every look at the clock takes so long: some ten of them make a slice. */
const tickMs = 0.1;
const stringWords = ["SET", "str", "value"];

/** Made again in front of each interruption: the sources of all commands, of every type. */
const sources: readonly (readonly string[])[] = [
  stringWords,
  ["SET", "str2", "0011"],
  ["SET", "volatile", "v", "PX", "600000"],
  ["RPUSH", "list", "3", "1", "2", "1"],
  ["RPUSH", "list2", "b"],
  ["RPUSH", "large", ...Array.from({ length: 300 }, (_, at) => `element${at}`)],
  ["SADD", "set", "1", "2", "3"],
  ["SADD", "set2", "2", "3", "x"],
  ["SADD", "largeset", ...Array.from({ length: 600 }, (_, at) => `member${at}`)],
  ["ZADD", "zset", "1", "a", "2", "b", "3", "c"],
  ["ZADD", "zset2", "5", "b", "6", "d"],
  ["HSET", "hash", "f", "1", "g", "2"],
  ["GEOADD", "geo", "13.361", "38.115", "p", "15.087", "37.502", "c"],
  ["PFADD", "hll", "a", "b"],
  ["PFADD", "hll2", "b", "c"],
  ["XADD", "stream", "1-1", "f", "v"],
  ["XGROUP", "CREATE", "stream", "group", "0"],
  ["XREADGROUP", "GROUP", "group", "alice", "STREAMS", "stream", ">"],
  ["SELECT", "1"],
  ["SET", "elsewhere", "1"],
  ["RPUSH", "list", "other"],
  ["SELECT", "0"],
];

/** Stands for what DUMP says of a list. */
const dumped = "<dump>";
/** No command: an hour passes. */
const anHour = ["<an hour>"];

const interruptions: Readonly<Record<string, readonly (readonly string[])[]>> = {
  RENAME: [["RENAME", "str", "renamed"]],
  "RENAME of a large one": [["RENAME", "large", "list"]],
  "RENAME onto another": [["RENAME", "list", "set"]],
  RENAMENX: [["RENAMENX", "hash", "renamed"]],
  COPY: [["COPY", "list", "copied", "REPLACE"]],
  "COPY to a database": [["COPY", "zset", "zset", "DB", "1", "REPLACE"]],
  "COPY of a large one": [["COPY", "largeset", "set", "REPLACE"]],
  MOVE: [["MOVE", "hash", "1"]],
  MSET: [["MSET", "str", "1", "list", "2", "new", "3"]],
  MSETNX: [["MSETNX", "new1", "1", "new2", "2"]],
  DEL: [["DEL", "str", "list", "large", "zset"]],
  UNLINK: [["UNLINK", "set", "largeset", "hash"]],
  SMOVE: [["SMOVE", "set", "set2", "1"]],
  "SMOVE to a new one": [["SMOVE", "largeset", "moved", "member7"]],
  LMOVE: [["LMOVE", "list", "list2", "LEFT", "RIGHT"]],
  "LMOVE of the last": [["LMOVE", "list2", "large", "LEFT", "LEFT"]],
  RPOPLPUSH: [["RPOPLPUSH", "large", "new"]],
  LMPOP: [["LMPOP", "2", "none", "large", "LEFT", "COUNT", "10"]],
  ZMPOP: [["ZMPOP", "2", "none", "zset", "MIN", "COUNT", "2"]],
  BLMOVE: [["BLMOVE", "list", "new", "LEFT", "LEFT", "0"]],
  SINTERSTORE: [["SINTERSTORE", "result", "set", "set2"]],
  SUNIONSTORE: [["SUNIONSTORE", "set", "set", "largeset"]],
  SDIFFSTORE: [["SDIFFSTORE", "list", "set", "set2"]],
  "SDIFFSTORE of nothing": [["SDIFFSTORE", "hash", "none", "set2"]],
  ZUNIONSTORE: [["ZUNIONSTORE", "result", "2", "zset", "zset2"]],
  ZINTERSTORE: [["ZINTERSTORE", "zset", "2", "zset", "zset2"]],
  ZDIFFSTORE: [["ZDIFFSTORE", "str", "2", "zset", "zset2"]],
  ZRANGESTORE: [["ZRANGESTORE", "result", "zset", "0", "1"]],
  GEOSEARCHSTORE: [
    ["GEOSEARCHSTORE", "result", "geo", "FROMMEMBER", "p", "BYRADIUS", "300", "km", "ASC"],
  ],
  "GEORADIUS STORE": [["GEORADIUS", "geo", "15", "37", "200", "km", "STORE", "str"]],
  "SORT STORE": [["SORT", "list", "STORE", "result"]],
  "SORT STORE onto itself": [["SORT", "large", "ALPHA", "STORE", "large"]],
  BITOP: [["BITOP", "OR", "result", "str", "str2"]],
  PFMERGE: [["PFMERGE", "hll", "hll2"]],
  "PFCOUNT, which keeps its result": [
    ["PFCOUNT", "hll", "hll2"],
    ["PFCOUNT", "hll"],
  ],
  RESTORE: [["RESTORE", "restored", "0", dumped]],
  "RESTORE onto another": [["RESTORE", "largeset", "600000", dumped, "REPLACE"]],
  FLUSHALL: [["FLUSHALL"]],
  "FLUSHALL, and new keys": [["FLUSHALL", "SYNC"], stringWords, ["RPUSH", "list", "x"]],
  FLUSHDB: [["FLUSHDB"]],
  "FLUSHDB of another": [
    ["SELECT", "1"],
    ["FLUSHDB", "ASYNC"],
    ["SELECT", "0"],
  ],
  SWAPDB: [["SWAPDB", "0", "1"]],
  "SWAPDB, and back": [
    ["SWAPDB", "0", "1"],
    ["RPUSH", "list", "x"],
    ["SWAPDB", "1", "0"],
  ],
  "SWAPDB and FLUSHDB": [["SWAPDB", "0", "2"], ["FLUSHDB"], ["RPUSH", "list", "x"]],
  "a transaction": [["MULTI"], ["RENAME", "list", "l2"], ["INCR", "n"], ["DEL", "set"], ["EXEC"]],
  XREADGROUP: [["XREADGROUP", "GROUP", "group", "bob", "STREAMS", "stream", ">"]],
  XACK: [["XACK", "stream", "group", "1-1"]],
  XCLAIM: [["XCLAIM", "stream", "group", "bob", "0", "1-1"]],
  "XADD that trims": [["XADD", "stream", "MAXLEN", "1", "9-1", "f", "v"]],
  SPOP: [["SPOP", "largeset", "50"]],
  LTRIM: [["LTRIM", "large", "10", "20"]],
  "EXPIRE in the past": [["EXPIRE", "large", "-1"]],
  GETEX: [["GETEX", "volatile", "PERSIST"]],
  GETDEL: [["GETDEL", "volatile"]],
  "time that passes": [anHour, ["GET", "volatile"], ["RENAME", "str", "volatile"]],
  "the cycle that looks for expired keys": [["PEXPIRE", "large", "1"], anHour, ["<cycle>"]],
  SETRANGE: [
    ["SETRANGE", "str", "100000", "x"],
    ["APPEND", "str", "y"],
  ],
};

class Scene {
  readonly server: SimServer;
  readonly #runner: CommandRunner;
  #count = 0;

  constructor(server: SimServer) {
    this.server = server;
    this.#runner = new CommandRunner(server.node);
  }

  static async start(config: Partial<NodeConfig> = {}): Promise<Scene> {
    const server = await SimServer.start({
      tickMs,
      // Writes end at once, so that the walk alone takes its turns.
      disk: new SimDisk(),
      config: { appendonly: true, ...config },
    });
    return new Scene(server);
  }

  interrupt(words: readonly string[]): void {
    const { clock, node } = this.server;
    if (words === anHour) clock.stepWall(3_600_000);
    else if (words[0] === "<cycle>") node.databases.first.expireCycle(() => false);
    else this.run(...words.map((word) => (word === dumped ? this.#dump() : word)));
  }

  #dump(): string {
    const reply = this.run("DUMP", "list2");
    return reply.slice(reply.indexOf("\n") + 1, -2);
  }

  run(...words: readonly string[]): string {
    const reply = this.#runner.run(...words).toString("latin1");
    assert.ok(!/^-/.test(reply), `${words.slice(0, 3).join(" ")}: ${reply}`);
    return reply;
  }

  fill(): void {
    for (let key = 0; key < fillerKeys; key += 1) this.run("SET", `filler${key}`, String(key));
    for (const words of sources) {
      const isMade = words[0] !== "SELECT" && words[0]?.startsWith("X") !== true;
      if (isMade) this.run("DEL", words[1] as string);
    }
    this.run("DEL", "stream");
    for (const words of sources) this.run(...words);
  }

  witness(): void {
    this.#count += 1;
    this.run("RPUSH", "witnesslist", String(this.#count));
    this.run("INCR", "witnesscount");
  }

  get rewrites(): boolean {
    return this.server.node.persistence.appendOnly.runs.running;
  }

  /** Begins a rewrite and lets it walk for so many slices; false if it has ended by then. */
  async walkFor(slices: number): Promise<boolean> {
    const { node, clock } = this.server;
    assert.ok(node.persistence.appendOnly.startRewrite(), "a rewrite begins");
    while (this.rewrites && (node.persistence.snapshots.active?.keysTotal ?? 0) === 0) {
      await clock.advance(0);
    }
    for (let slice = 0; slice < slices && this.rewrites; slice += 1) await this.#slice();
    return this.rewrites;
  }

  /** One turn: its end, and what waits for it. */
  async #slice(): Promise<void> {
    this.server.clock.runDeferred();
    await new Promise(setImmediate);
  }

  async end(): Promise<void> {
    await this.server.until(() => !this.rewrites, "the end of the rewrite");
    assert.ok(this.server.node.persistence.appendOnly.runs.lastOk, this.server.log.lines.at(-1));
  }

  /** What a node has that starts on the files as they are now. */
  async assertReloadsEqual(what: string): Promise<void> {
    const { disk, node } = this.server;
    await this.server.clock.advance(0);
    const copy = new SimDisk();
    for (const name of disk.listSync("/data/appendonlydir") ?? []) {
      const path = `/data/appendonlydir/${name}`;
      copy.plant(path, disk.contentOf(path) ?? Buffer.alloc(0));
    }
    const other = await SimServer.start({
      disk: copy,
      config: { appendonly: true, clusterEnabled: node.config.clusterEnabled },
    });
    const [memory, files] = [node, other.node].map(({ databases }) => ({
      digest: datasetDigest(databases.databases),
      sizes: databases.databases.map(({ size }) => size),
    }));
    assert.deepEqual(files, memory, what);
  }
}

describe("a walk that is interrupted at every slice shows its beginning, by", () => {
  for (const [index, [name, commands]] of Object.entries(interruptions).entries()) {
    it(name, async () => {
      let slices = index % stride;
      for (let interrupted = true; interrupted; slices += stride) {
        const scene = await Scene.start({ aofUseRdbPreamble: slices % 2 === 0 });
        scene.fill();
        scene.witness();
        interrupted = await scene.walkFor(slices);
        scene.witness();
        for (const words of commands) scene.interrupt(words);
        scene.witness();
        await scene.end();
        scene.witness();
        await scene.assertReloadsEqual(`${name} after ${slices} slices`);
      }
      assert.ok(slices > 8, `only ${slices} slices`);
    });
  }
});

it("a walk that is interrupted by the loss of slots shows its beginning", async () => {
  let slices = 0;
  for (let interrupted = true; interrupted; slices += stride) {
    const scene = await Scene.start({ clusterEnabled: true, aofUseRdbPreamble: slices % 2 === 0 });
    const { cluster, databases } = scene.server.node;
    scene.run("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await scene.server.until(() => cluster?.serving === true, "the cluster to be up");
    for (let key = 0; key < fillerKeys; key += 1) scene.run("SET", `filler${key}`, String(key));
    scene.run("RPUSH", "{lost}large", ...Array.from({ length: 300 }, (_, at) => `element${at}`));
    scene.run("SADD", "{lost}set", "a", "b");
    scene.witness();
    interrupted = await scene.walkFor(slices);
    scene.witness();
    // Half of the slots go at once, as they do when another node wins them.
    const witnesses = ["witnesslist", "witnesscount"].map((key) => databases.first.slotOf(key));
    const lost = databases.first.slotOf("{lost}");
    const slots = Array.from({ length: 16_384 }, (_, slot) => slot);
    deleteSlotKeys(
      scene.server.node,
      slots.filter((slot) => slot % 2 === lost % 2 && !witnesses.includes(slot)),
    );
    assert.equal(scene.run("EXISTS", "{lost}set"), ":0\r\n");
    scene.witness();
    await scene.end();
    await scene.assertReloadsEqual(`the loss of slots after ${slices} slices`);
  }
  assert.ok(slices > 8, `only ${slices} slices`);
});
