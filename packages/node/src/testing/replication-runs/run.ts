/**
 * Whole nodes in one virtual world, a primary and replicas in a star or a chain, under a schedule
 * that a seed decides: links cut and stopped, processes killed, power lost, clean restarts,
 * promotions, rewrites. All along no replica may be ahead of its primary's stream or beside it; in
 * the end everybody must come together and hold the same data.
 */
import assert from "node:assert/strict";
import type { NodeConfig } from "../../config/config.js";
import { SimNet } from "../../replication/testing/sim-net.js";
import { seededRandom } from "../command-harness.js";
import { SimClock } from "../sim-clock.js";
import { SimDisk } from "../sim-disk.js";
import { type SimClient, SimServer } from "../sim-server.js";
import { StreamLedger } from "./ledger.js";
import { ProcessPorts } from "./process-ports.js";
import { nextWrites } from "./writes.js";

const firstPort = 7001;
/** Between two looks at the streams. */
const lookMs = 10;
/** Virtual time in which all must come together once nothing disturbs them. */
const patienceMs = 60_000;
const databases = 3;

export interface ReplicationRunOptions {
  readonly seed: number;
  readonly steps: number;
  /** Tries the checks: called before the end with the last member of the chain. */
  readonly onSettled?: (last: SimServer) => void;
}

export interface ReplicationRunResult {
  writes: number;
  kills: number;
  powerLosses: number;
  restarts: number;
  cuts: number;
  stops: number;
  promotions: number;
  fullSyncs: number;
  partialSyncs: number;
  comparedBytes: number;
}

/** A machine: what outlives the process on it. */
interface Machine {
  readonly name: string;
  readonly port: number;
  readonly disk: SimDisk;
  readonly config: Partial<NodeConfig>;
  /** Whom it follows; nobody is the primary. */
  follows: number | undefined;
  process: { readonly server: SimServer; readonly ports: ProcessPorts } | undefined;
}

export async function runReplication(
  options: ReplicationRunOptions,
): Promise<ReplicationRunResult> {
  const run = new ReplicationRun(options);
  try {
    return await run.run();
  } catch (error) {
    const trace = run.trace.join("\n  ");
    const replay = `npm run soak -- replication --seeds ${options.seed} --steps ${options.steps}`;
    throw new Error(`seed ${options.seed} failed; what happened:\n  ${trace}\nreplay: ${replay}`, {
      cause: error,
    });
  }
}

/** Run after run; what happened in all of them together. Ends at the first that fails. */
export async function runSeeds(options: {
  readonly first: number;
  readonly last: number;
  readonly steps: number;
  readonly onRun?: (seed: number) => void;
}): Promise<ReplicationRunResult> {
  const { first, last, onRun, steps } = options;
  const sums = noResult();
  for (let seed = first; seed <= last; seed += 1) {
    const result = await runReplication({ seed, steps });
    for (const name of Object.keys(sums) as (keyof ReplicationRunResult)[]) {
      sums[name] += result[name];
    }
    onRun?.(seed);
  }
  return sums;
}

const noResult = (): ReplicationRunResult => ({
  ...{ writes: 0, kills: 0, powerLosses: 0, restarts: 0, cuts: 0, stops: 0 },
  ...{ promotions: 0, fullSyncs: 0, partialSyncs: 0, comparedBytes: 0 },
});

class ReplicationRun {
  readonly trace: string[] = [];
  readonly #options: ReplicationRunOptions;
  readonly #random: (below: number) => number;
  readonly #clock = new SimClock();
  readonly #net: SimNet;
  readonly #ledger = new StreamLedger();
  readonly #machines: readonly Machine[];
  readonly #cut = new Set<string>();
  #client: SimClient | undefined;
  #lives = 0;
  readonly #counts = noResult();

  constructor(options: ReplicationRunOptions) {
    const random = seededRandom(options.seed);
    this.#options = options;
    this.#random = (below) => random.uint32() % below;
    this.#net = new SimNet(this.#clock, 2 * options.seed + 1);
    this.#machines = Array.from({ length: 2 + this.#random(3) }, (_, index) => ({
      name: `n${index + 1}`,
      port: firstPort + index,
      disk: new SimDisk({ clock: this.#clock }),
      config: this.#someConfig(),
      follows: index === 0 ? undefined : firstPort + this.#random(index),
      process: undefined,
    }));
  }

  async run(): Promise<ReplicationRunResult> {
    for (const machine of this.#machines) await this.#start(machine);
    for (let step = 0; step < this.#options.steps; step += 1) {
      await this.#pass(50 + this.#random(1500));
      await this.#happen();
    }
    await this.#heal();
    await this.#together();
    if (this.#options.onSettled !== undefined) {
      this.#options.onSettled(this.#serverOf(this.#machines.at(-1) as Machine));
      this.#look();
    }
    await this.#compareAll();
    for (const machine of this.#machines) this.#countSyncs(machine);
    this.#counts.comparedBytes = this.#ledger.comparedBytes;
    return this.#counts;
  }

  #someConfig(): Partial<NodeConfig> {
    return {
      appendonly: this.#random(4) > 0,
      appendfsync: this.#random(2) === 0 ? "always" : "everysec",
      aofUseRdbPreamble: this.#random(2) === 0,
      replBacklogSize: this.#random(2) === 0 ? 16 * 1024 : 1024 * 1024,
      replDisklessSyncDelay: 0,
      replTimeout: 5,
      replPingReplicaPeriod: 1,
    };
  }

  #serverOf(machine: Machine): SimServer {
    assert.ok(machine.process, `${machine.name} is down`);
    return machine.process.server;
  }

  get #primary(): Machine {
    return this.#machines.find(({ follows }) => follows === undefined) as Machine;
  }

  #say(what: string): void {
    this.trace.push(`${this.#clock.monotonic()} ms: ${what}`);
  }

  async #start(machine: Machine): Promise<void> {
    const { disk, follows, port } = machine;
    const ports = new ProcessPorts({
      clock: this.#clock,
      net: this.#net,
      reaches: (other) => !this.#cut.has(linkOf(port, other)),
    });
    this.#lives += 1;
    const server = await SimServer.start({
      ...{ clock: this.#clock, net: this.#net, disk, port },
      clockOfProcess: ports.clock,
      netOfProcess: ports,
      seed: 1000 * this.#options.seed + this.#lives,
      config: {
        ...machine.config,
        ...(follows !== undefined && { replicaof: { host: "127.0.0.1", port: follows } }),
      },
    });
    this.#ledger.forget(machine.name);
    machine.process = { server, ports };
    this.#say(`${machine.name} starts, follows ${follows ?? "nobody"}`);
  }

  /** Time in which the primary is written to. */
  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= lookMs) {
      if (this.#random(3) > 0) await this.#write();
      await this.#clock.advance(lookMs);
      this.#look();
    }
  }

  async #write(): Promise<void> {
    const { process } = this.#primary;
    if (process === undefined) return;
    if (this.#client?.connected !== true) this.#client = await process.server.connect();
    const client = this.#client;
    for (let count = this.#random(4); count >= 0; count -= 1) {
      const commands = nextWrites(this.#random, this.#counts.writes);
      for (const words of commands) client.send(...words);
      this.#counts.writes += commands.length;
    }
    client.replies.length = 0;
  }

  #look(): void {
    this.#ledger.observe(
      this.#machines.flatMap(({ name, process }) =>
        process === undefined ? [] : [{ name, replication: process.server.node.replication }],
      ),
    );
  }

  async #happen(): Promise<void> {
    const machine = this.#machines[this.#random(this.#machines.length)] as Machine;
    if (machine.process === undefined) return this.#start(machine);
    switch (this.#random(9)) {
      case 0:
        return this.#end(machine, "kills");
      case 1:
        return this.#end(machine, "powerLosses");
      case 2:
        await this.#stop(machine);
        return this.#start(machine);
      case 3:
        this.#cutLink(machine);
        return undefined;
      case 4:
        return this.#stopReading(machine);
      case 5:
        return this.#promote(machine);
      case 6:
        return this.#rewrite(machine);
      case 7:
        return this.#follow(machine);
      default:
        this.#mend();
        return undefined;
    }
  }

  async #end(machine: Machine, how: "kills" | "powerLosses"): Promise<void> {
    this.#look();
    this.#say(`${machine.name} ends: ${how}`);
    this.#counts[how] += 1;
    this.#countSyncs(machine);
    await machine.process?.ports.kill();
    machine.process = undefined;
    if (how === "kills") machine.disk.restartProcess();
    else {
      machine.disk.restart({
        keepBytes: (_, unsynced) => this.#random(unsynced + 1),
        keepNames: (_, pending) => this.#random(pending + 1),
      });
    }
    if (this.#random(2) === 0) await this.#start(machine);
  }

  async #stop(machine: Machine): Promise<void> {
    const { ports, server } = machine.process as NonNullable<Machine["process"]>;
    this.#look();
    this.#say(`${machine.name} stops`);
    this.#counts.restarts += 1;
    this.#countSyncs(machine);
    await server.wait(server.node.stop());
    await ports.kill();
    machine.process = undefined;
    machine.disk.restartProcess();
  }

  #cutLink(machine: Machine): void {
    if (machine.follows === undefined) return;
    this.#counts.cuts += 1;
    const lasts = this.#random(2) === 0;
    this.#say(`${machine.name} is cut off${lasts ? " until mended" : ""}`);
    if (lasts) this.#cut.add(linkOf(machine.port, machine.follows));
    machine.process?.ports.cut(machine.follows);
  }

  async #stopReading(machine: Machine): Promise<void> {
    if (machine.follows === undefined) return;
    this.#counts.stops += 1;
    this.#say(`${machine.name} reads nothing for a while`);
    const ports = machine.process?.ports;
    ports?.stopReading(machine.follows);
    await this.#pass(500 + this.#random(7000));
    ports?.readAgain();
  }

  /** Another primary; the others, dead or alive, are to follow it, some of them a while later. */
  async #promote(machine: Machine): Promise<void> {
    if (machine.follows === undefined) return;
    this.#say(`${machine.name} is promoted`);
    this.#counts.promotions += 1;
    const earlier = this.#primary;
    await this.#replicaOf(machine, undefined);
    this.#client?.close();
    await this.#replicaOf(earlier, machine.port);
    for (const other of this.#machines) {
      if (other === machine || other === earlier) continue;
      await this.#pass(this.#random(40));
      await this.#replicaOf(other, machine.port);
    }
  }

  /** A replica goes to another node that does not follow it: chains grow and shrink. */
  async #follow(machine: Machine): Promise<void> {
    const other = this.#machines[this.#random(this.#machines.length)] as Machine;
    if (machine.follows === undefined || this.#isBehind(other, machine)) return;
    this.#say(`${machine.name} follows ${other.name}`);
    await this.#replicaOf(machine, other.port);
  }

  #isBehind(node: Machine, other: Machine): boolean {
    for (let at: Machine | undefined = node; at !== undefined; ) {
      if (at === other) return true;
      const { follows }: Machine = at;
      at = this.#machines.find(({ port }) => port === follows);
    }
    return false;
  }

  async #replicaOf(machine: Machine, port: number | undefined): Promise<void> {
    machine.follows = port;
    if (machine.process === undefined) return;
    const client = await machine.process.server.connect();
    const words = port === undefined ? ["NO", "ONE"] : ["127.0.0.1", String(port)];
    assert.match(await client.ask("REPLICAOF", ...words), /^OK/);
    client.close();
    this.#look();
  }

  async #rewrite(machine: Machine): Promise<void> {
    const client = await this.#serverOf(machine).connect();
    this.#say(`${machine.name} rewrites its file`);
    client.send("BGREWRITEAOF");
    await this.#pass(lookMs * 2);
    client.close();
  }

  #mend(): void {
    this.#say("links are mended");
    this.#cut.clear();
    for (const { process } of this.#machines) process?.ports.readAgain();
  }

  async #heal(): Promise<void> {
    this.#mend();
    for (const machine of this.#machines) {
      if (machine.process === undefined) await this.#start(machine);
    }
    // Keys with a short life end, and what ends them is part of the stream.
    await this.#pass(1000);
    this.#client?.close();
  }

  async #together(): Promise<void> {
    const apart = (): string | undefined => {
      const { history } = this.#serverOf(this.#primary).node.replication;
      for (const machine of this.#machines) {
        const { replication, stream } = this.#serverOf(machine).node;
        const isUp = machine === this.#primary || replication.primary?.isUp === true;
        const { id, offset } = replication.history;
        const same = id === history.id && offset === history.offset && stream.batchBytes === 0;
        if (!isUp || !same) {
          return `${machine.name}: ${isUp ? "up" : "down"}, ${id} ${offset}, not ${history.offset}`;
        }
      }
      return undefined;
    };
    const end = this.#clock.monotonic() + patienceMs;
    await this.#clock.advance(3000);
    for (let why = apart(); why !== undefined; why = apart()) {
      assert.ok(this.#clock.monotonic() < end, `they do not come together: ${why}`);
      await this.#clock.advance(lookMs);
      this.#look();
    }
  }

  async #compareAll(): Promise<void> {
    const expected = await contentsOf(this.#serverOf(this.#primary));
    for (const machine of this.#machines) {
      const found = await contentsOf(this.#serverOf(machine));
      assert.deepEqual(found, expected, `${machine.name} differs from ${this.#primary.name}`);
    }
  }

  #countSyncs(machine: Machine): void {
    const counters = machine.process?.server.node.replication.replicas.counters;
    this.#counts.fullSyncs += counters?.fullSyncs ?? 0;
    this.#counts.partialSyncs += counters?.partialSyncs ?? 0;
  }
}

const linkOf = (one: number, other: number): string =>
  `${Math.min(one, other)}-${Math.max(one, other)}`;

/**
 * XREADGROUP travels as XCLAIM, which carries none of these: replicas of Redis 7.0 and 7.2 have
 * other values than their primary as well.
 */
const unreplicated = /\b(entries-read|lag|seen-time|active-time) (?:null|-?\d+)/g;

/** The digest, and what it is blind to: expiry times, and groups and consumers of streams. */
async function contentsOf(server: SimServer): Promise<string[]> {
  const client = await server.connect();
  const lines = [`digest ${await client.ask("DEBUG", "DIGEST")}`];
  for (let database = 0; database < databases; database += 1) {
    await client.ask("SELECT", String(database));
    const keys = (await client.ask("KEYS", "*")).split(" ").filter((key) => key !== "");
    for (const key of keys.toSorted()) {
      lines.push(`${database} ${key} ${await client.ask("PEXPIRETIME", key)}`);
      if (!key.startsWith("stream:")) continue;
      const stream = await client.ask("XINFO", "STREAM", key, "FULL", "COUNT", "0");
      lines.push(stream.replace(unreplicated, "$1"));
    }
  }
  client.close();
  return lines;
}
