/**
 * A node on a simulated disk that fails in every way it can: one run by seed. Clients write all the
 * while; operations fail or lie, the disk runs full, the process is killed and the power goes, at
 * any step of a write, a rewrite, a change of the manifest or a start.
 *
 * After each crash: the node starts, nothing that was promised is missing, nothing is there twice,
 * and no file that counts is gone. What a disk promises that reports success and does nothing is
 * void; then only the rest holds.
 */
import assert from "node:assert/strict";
import type { NodeConfig } from "../../config/config.js";
import { parseManifest } from "../../aof/manifest.js";
import type { Clock } from "../../ports.js";
import { FastRandom } from "../../store/random.js";
import { SimClock } from "../sim-clock.js";
import { SimDisk, type SimFault, type SimOperation, simOperations } from "../sim-disk.js";
import { type SimClient, SimServer } from "../sim-server.js";
import { Lane, type LaneContents } from "./lane.js";

export interface DiskFaultsOptions {
  readonly seed: number;
  /** Default 60. */
  readonly steps?: number;
  /** Told what every crash left: the files of the append-only directory by name. */
  onCrash?(crash: CrashedDirectory): Promise<void>;
}

/** What a crash left, and what the node made of it. */
export interface CrashedDirectory {
  readonly files: ReadonlyMap<string, Buffer>;
  /** By lane; `undefined` if the node did not start. */
  readonly contents: readonly LaneContents[] | undefined;
}

/** What a run has seen, so that a test can tell that it saw enough. */
export interface DiskFaultsResult {
  readonly acknowledged: number;
  readonly faults: number;
  readonly kills: number;
  readonly powerLosses: number;
  readonly rewrites: number;
  readonly recoveries: number;
  readonly lies: number;
}

type Policy = NodeConfig["appendfsync"];

const laneCount = 6;
const aofDirectory = "/data/appendonlydir";
const policies: readonly Policy[] = ["always", "everysec", "no"];
const codes = ["EIO", "ENOSPC", "EDQUOT"] as const;
const places = ["appendonlydir", ".incr.", ".manifest", "temp-", ".base."] as const;

/** Runs one life after the other; throws an assertion error that names the seed. */
export async function runDiskFaults(options: DiskFaultsOptions): Promise<DiskFaultsResult> {
  const run = new DiskFaults(options);
  try {
    return await run.go();
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`disk faults, seed ${options.seed}: ${message}\n${run.trace.join("\n")}`, {
      cause: error,
    });
  }
}

class DiskFaults {
  readonly trace: string[] = [];
  readonly #options: DiskFaultsOptions;
  readonly #random: FastRandom;
  readonly #disk: SimDisk;
  readonly #counts = { faults: 0, kills: 0, powerLosses: 0, rewrites: 0, recoveries: 0 };
  #clock = new SimClock();
  #slowSyncs = false;
  #acknowledged = 0;
  #value = 0;
  #policy: Policy = "always";
  #server: SimServer | undefined;
  #noise: SimClient | undefined;
  #lanes: Lane[] = [];
  /** Lies that were told up to the last power loss: later ones may have left nothing on the disk. */
  #liesBefore = 0;

  constructor(options: DiskFaultsOptions) {
    this.#options = options;
    this.#random = new FastRandom(options.seed);
    // Each life has a clock of its own: timers of dead processes must not fire.
    const clock: Clock = {
      now: () => this.#clock.now(),
      monotonic: () => this.#clock.monotonic(),
      after: (delayMs, callback) => this.#clock.after(delayMs, callback),
      every: (intervalMs, callback) => this.#clock.every(intervalMs, callback),
      defer: (callback) => this.#clock.defer(callback),
    };
    this.#disk = new SimDisk({ clock, latencyMs: (operation) => this.#latency(operation) });
  }

  #latency(operation: SimOperation): number {
    if (operation === "sync" && this.#slowSyncs) return 200 + this.#random.below(4000);
    return this.#random.below(operation === "sync" ? 12 : 3);
  }

  async go(): Promise<DiskFaultsResult> {
    await this.#start([]);
    const steps = this.#options.steps ?? 60;
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      if (this.#disk.isDown) await this.#crash("crash point");
    }
    await this.#heal();
    await this.#crash("end");
    await (this.#server as SimServer).wait((this.#server as SimServer).node.stop());
    const { lies } = this.#disk;
    return { ...this.#counts, acknowledged: this.#acknowledged, lies };
  }

  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }

  async #step(): Promise<void> {
    const dice = this.#random.below(100);
    if (dice < 50) this.#write();
    else if (dice < 62) this.#breakSomething();
    else if (dice < 67) this.#fill();
    else if (dice < 73) this.#rewrite();
    else if (dice < 76) this.#slowSyncs = !this.#slowSyncs;
    else if (dice < 84) this.#disk.crashAt(this.#random.below(25));
    else if (dice < 88) await this.#heal();
    else if (dice < 91) await this.#crash("any time");
    await this.#pass(this.#random.below(this.#chance(20) ? 2500 : 15));
  }

  /** Time passes; replies come. A machine that is down sends none. */
  async #pass(milliseconds: number): Promise<void> {
    const server = this.#server as SimServer;
    for (let left = milliseconds; left >= 0 && !this.#disk.isDown; left -= 5) {
      await this.#clock.advance(Math.min(5, left));
      if (this.#disk.isDown) return;
      for (const lane of this.#lanes) lane.collect(server.node.stream.offset);
    }
  }

  #write(): void {
    for (let count = 1 + this.#random.below(8); count > 0; count -= 1) {
      this.#value += 1;
      this.#pick(this.#lanes).send(this.#value);
    }
    if (!this.#chance(30)) return;
    const bytes = this.#random.below(this.#chance(10) ? 100_000 : 500);
    this.#noise?.send("SET", `noise${this.#random.below(50)}`, "n".repeat(bytes));
  }

  #breakSomething(): void {
    const operation = this.#pick(simOperations);
    const isSync = operation === "sync" || operation === "syncDirectory";
    const fault: SimFault = {
      operation,
      code: operation === "open" && this.#chance(50) ? "EMFILE" : this.#pick(codes),
      path: this.#pick(places),
      skip: this.#random.below(3),
      times: 1 + this.#random.below(5),
      written: this.#random.below(120),
      ...(isSync && this.#chance(15) ? { lies: true } : {}),
    };
    this.trace.push(JSON.stringify(fault));
    this.#disk.inject(fault);
    this.#counts.faults += 1;
  }

  #fill(): void {
    this.#disk.capacityBytes = this.#disk.usedBytes() + this.#random.below(600);
    this.trace.push(`capacity ${this.#disk.capacityBytes}`);
    this.#counts.faults += 1;
  }

  #rewrite(): void {
    this.trace.push("rewrite");
    this.#noise?.send("BGREWRITEAOF");
    this.#counts.rewrites += 1;
  }

  /** The disk is whole again: before long the node must admit writes by itself. */
  async #heal(): Promise<void> {
    if (this.#disk.isDown) return;
    this.trace.push("heal");
    this.#disk.clearFaults();
    this.#disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.#slowSyncs = false;
    const { persistence } = (this.#server as SimServer).node;
    const wasBroken = persistence.misconfiguration !== undefined;
    for (let tries = 0; persistence.misconfiguration !== undefined; tries += 1) {
      assert.ok(tries < 200, "writes are refused though the disk is whole");
      await this.#pass(100);
      if (this.#disk.isDown) return;
    }
    if (wasBroken) this.#counts.recoveries += 1;
  }

  async #crash(why: string): Promise<void> {
    const server = this.#server as SimServer;
    const isPowerLoss = this.#chance(50);
    this.trace.push(`${isPowerLoss ? "power loss" : "kill"} (${why}), policy ${this.#policy}`);
    for (const lane of this.#lanes) {
      if (!this.#disk.isDown) lane.collect(server.node.stream.offset);
      this.#acknowledged += lane.acknowledged;
    }
    const durable = server.node.persistence.writer?.durableOffset ?? 0;
    const lied = this.#disk.lies > this.#liesBefore;
    const all = !isPowerLoss || (this.#policy === "always" && !lied);
    const isPromised = (offset: number): boolean => all || (!lied && offset <= durable);
    this.#disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.#slowSyncs = false;
    if (isPowerLoss) this.#losePower();
    else this.#disk.restartProcess();
    this.#counts[isPowerLoss ? "powerLosses" : "kills"] += 1;
    // The start may be cut short too, again and again.
    while (this.#chance(25)) {
      this.#disk.crashAt(this.#random.below(12));
      await this.#tryToStart(isPowerLoss && lied);
      if (!this.#disk.isDown && this.#server !== undefined) break;
      if (isPowerLoss) this.#losePower();
      else this.#disk.restartProcess();
    }
    this.#disk.restartProcess();
    await this.#startAndCheck(isPromised, isPowerLoss && lied);
  }

  #losePower(): void {
    this.#liesBefore = this.#disk.lies;
    const share = this.#random.below(5);
    this.#disk.restart({
      keepBytes: (_, unsynced) =>
        share === 0 ? 0 : share === 1 ? unsynced : this.#random.below(unsynced + 1),
      keepNames: (_, pending) => (share === 0 ? 0 : this.#random.below(pending + 1)),
    });
  }

  async #startAndCheck(isPromised: (offset: number) => boolean, mayBeLost: boolean): Promise<void> {
    const files = this.#files();
    const started = await this.#tryToStart(mayBeLost);
    if (!started) {
      // A disk that lied may have lost a base. Nobody can start then, so the next life is a new one.
      await this.#options.onCrash?.({ files, contents: undefined });
      for (const name of this.#disk.listSync(aofDirectory) ?? []) {
        this.#disk.removeSync(`${aofDirectory}/${name}`);
      }
      this.#disk.syncDirectorySync(aofDirectory);
      await this.#start([]);
      return;
    }
    this.#assertNothingDeleted(files);
    const contents = await this.#contents();
    await this.#options.onCrash?.({ files, contents });
    for (const [index, lane] of this.#lanes.entries()) {
      lane.check(contents[index] as LaneContents, isPromised);
    }
    await this.#connect(contents);
  }

  #files(): ReadonlyMap<string, Buffer> {
    const names = this.#disk.listSync(aofDirectory) ?? [];
    return new Map(
      names.map((name) => [name, this.#disk.contentOf(`${aofDirectory}/${name}`) as Buffer]),
    );
  }

  /** Every file that the manifest counts on is still there after the start, and no shorter. */
  #assertNothingDeleted(before: ReadonlyMap<string, Buffer>): void {
    const manifest = before.get("appendonly.aof.manifest");
    if (manifest === undefined) return;
    const { base, increments } = parseManifest(manifest);
    for (const { name } of base === undefined ? increments : [base, ...increments]) {
      assert.ok(this.#disk.contentOf(`${aofDirectory}/${name}`), `${name} is gone`);
    }
  }

  async #start(contents: readonly LaneContents[]): Promise<void> {
    assert.ok(await this.#tryToStart(false));
    await this.#connect(contents);
  }

  /** False if the start was cut short by a crash, or failed where it may. */
  async #tryToStart(mayFail: boolean): Promise<boolean> {
    this.#clock = new SimClock(this.#clock.now());
    this.#policy = this.#pick(policies);
    this.#server = undefined;
    try {
      this.#server = await SimServer.start({
        disk: this.#disk,
        clock: this.#clock,
        config: {
          appendonly: true,
          appendfsync: this.#policy,
          aofUseRdbPreamble: this.#chance(50),
          autoAofRewriteMinSize: 2000,
          autoAofRewritePercentage: this.#chance(30) ? 100 : 0,
          aofTimestampEnabled: this.#chance(30),
        },
      });
      return true;
    } catch (error) {
      if (this.#disk.isDown) return false;
      this.trace.push(`start failed: ${String(error)}`);
      this.#disk.restartProcess();
      if (mayFail) return false;
      throw error;
    }
  }

  async #contents(): Promise<readonly LaneContents[]> {
    const client = await (this.#server as SimServer).connect();
    const contents: LaneContents[] = [];
    for (let index = 0; index < laneCount; index += 1) {
      const list = await client.ask("LRANGE", `list${index}`, "0", "-1");
      const count = await client.ask("GET", `count${index}`);
      contents.push({
        list: list === "" ? [] : list.split(" ").map(Number),
        count: count === "null" ? 0 : Number(count),
      });
    }
    return contents;
  }

  async #connect(contents: readonly LaneContents[]): Promise<void> {
    const server = this.#server as SimServer;
    this.#lanes = [];
    for (let index = 0; index < laneCount; index += 1) {
      const before = contents[index] ?? { list: [], count: 0 };
      this.#lanes.push(new Lane(index, await server.connect(), before));
    }
    this.#noise = await server.connect();
  }
}
