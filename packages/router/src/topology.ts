/**
 * Asks the cluster who serves what, through `ioredis`: at the start, at intervals, and when a reply
 * says that something moved. Owns the connections for that, nothing that a client's command uses.
 */
import { Redis } from "ioredis";
import type { DeclaredCommand } from "./catalog.js";
import type { ClusterView, ShardNode, SlotRange } from "./cluster.js";
import type { Credentials } from "./identity.js";
import { declarationsOf } from "./learned-commands.js";
import { connectTimeoutMs, topologyRefreshMs, topologyRefreshMsMin } from "./limits.js";
import type { Clock, Log, Timer } from "./ports.js";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface TopologyOptions {
  readonly seeds: readonly Address[];
  readonly credentials: Credentials | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly cluster: ClusterView;
  /** Told once, as soon as a node answers. */
  onCommands(commands: readonly DeclaredCommand[]): void;
  onRefreshed(changed: boolean): void;
}

/** A refused answer is asked for again somewhere else; so many nodes are tried in a row. */
const triesMax = 32;

export class Topology {
  readonly #options: TopologyOptions;
  #connection: { readonly redis: Redis; readonly address: Address } | undefined;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isWantedAgain = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #next = 0;
  /** The node asked last may be the one that is wrong. */
  #wantsOther = false;
  #hasLearned = false;
  /** `redis_version` of the node that answered first. */
  serverVersion = "7.2.0";
  /** Why the last attempt failed; `undefined` if it did not. */
  trouble: string | undefined = "the cluster was not asked yet";

  constructor(options: TopologyOptions) {
    this.#options = options;
  }

  /** Resolves when the cluster was asked once; `trouble` says whether it answered. */
  async start(): Promise<void> {
    await this.refresh();
    this.#plan(topologyRefreshMs);
  }

  /** Asks soon, and not more often than is useful. */
  refreshSoon(): void {
    if (this.#isClosed) return;
    this.#wantsOther = true;
    if (this.#running !== undefined) {
      this.#isWantedAgain = true;
      return;
    }
    const wait = this.#lastAt + topologyRefreshMsMin - this.#options.clock.monotonic();
    this.#plan(Math.max(0, wait));
  }

  /** Asks now. */
  refresh(): Promise<void> {
    this.#running ??= this.#refresh().finally(() => {
      this.#running = undefined;
      this.#lastAt = this.#options.clock.monotonic();
      if (this.#isClosed) return;
      // A cluster that cannot be reached is looked for more often than one that is fine.
      const usual = this.trouble === undefined ? topologyRefreshMs : topologyRefreshMsMin * 10;
      this.#plan(this.#isWantedAgain ? topologyRefreshMsMin : usual);
      this.#isWantedAgain = false;
    });
    return this.#running;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#drop();
  }

  #plan(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, () => void this.refresh());
  }

  async #refresh(): Promise<void> {
    const before = this.trouble;
    const reasons: string[] = [];
    for (const address of this.#candidates()) {
      if (this.#isClosed) return;
      try {
        await this.#ask(address);
        this.trouble = undefined;
        if (before !== undefined) {
          this.#options.log.notice(`the cluster answers at ${address.host}:${address.port}`);
        }
        return;
      } catch (error) {
        this.#drop();
        reasons.push(`${address.host}:${address.port}: ${reasonOf(error)}`);
      }
    }
    this.trouble = `no node of the cluster can be asked for its slots (${reasons.slice(0, 3).join("; ")})`;
    if (before !== this.trouble) this.#options.log.warning(this.trouble);
  }

  /** The node asked last, then those we know, beginning with another one each time, then seeds. */
  #candidates(): Address[] {
    const known = [...this.#options.cluster.nodes].map(({ host, port }) => ({ host, port }));
    const from = known.length === 0 ? 0 : this.#next++ % known.length;
    const all = [...known.slice(from), ...known.slice(0, from), ...this.#options.seeds];
    if (this.#connection !== undefined && !this.#wantsOther) all.unshift(this.#connection.address);
    this.#wantsOther = false;
    const seen = new Set<string>();
    const distinct = all.filter(({ host, port }) => {
      const key = `${host}|${port}`;
      return !seen.has(key) && seen.add(key) !== undefined;
    });
    return distinct.slice(0, triesMax);
  }

  async #ask(address: Address): Promise<void> {
    const redis = await this.#connect(address);
    const ranges = rangesOf(await redis.call("CLUSTER", "SLOTS"), address.host);
    if (ranges.length === 0) throw new Error("the node knows of no slot that is served");
    if (!this.#hasLearned) await this.#learn(redis);
    const changed = this.#options.cluster.replace(ranges);
    this.#options.onRefreshed(changed);
  }

  async #learn(redis: Redis): Promise<void> {
    const info = String(await redis.call("INFO", "server"));
    this.serverVersion = /^redis_version:(\S+)/m.exec(info)?.[1] ?? this.serverVersion;
    this.#options.onCommands(declarationsOf(await redis.call("COMMAND")));
    this.#hasLearned = true;
  }

  async #connect(address: Address): Promise<Redis> {
    const { host, port } = address;
    const current = this.#connection;
    if (current !== undefined) {
      const isSame = current.address.host === host && current.address.port === port;
      if (isSame && current.redis.status === "ready") return current.redis;
      this.#drop();
    }
    const { credentials } = this.#options;
    const redis = new Redis({
      host,
      port,
      ...(credentials === undefined ? {} : { password: credentials.password }),
      ...(credentials?.user === undefined ? {} : { username: credentials.user }),
      protocol: 2,
      lazyConnect: true,
      connectTimeout: connectTimeoutMs,
      commandTimeout: connectTimeoutMs,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    let reason: unknown;
    redis.on("error", (error) => {
      reason = error;
    });
    this.#connection = { redis, address };
    try {
      await redis.connect();
    } catch (error) {
      throw reason ?? error;
    }
    return redis;
  }

  #drop(): void {
    this.#connection?.redis.disconnect();
    this.#connection = undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return error.message === "" ? (code ?? error.name) : error.message;
}

/** The reply to CLUSTER SLOTS; `askedHost` stands in where a node does not know its own address. */
export function rangesOf(reply: unknown, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) throw new Error("CLUSTER SLOTS was not answered with a list");
  return reply.map((line: unknown) => {
    if (!Array.isArray(line)) throw new Error("CLUSTER SLOTS: a range is no list");
    const [first, last, primary, ...replicas] = line as unknown[];
    const isRange = isSlot(first) && isSlot(last) && first <= last;
    if (!isRange) throw new Error(`CLUSTER SLOTS: a range ${String(first)}-${String(last)}`);
    return {
      first,
      last,
      primary: nodeOf(primary, askedHost),
      replicas: replicas.map((each) => nodeOf(each, askedHost)),
    };
  });
}

function isSlot(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 16_384;
}

function nodeOf(value: unknown, askedHost: string): ShardNode {
  if (!Array.isArray(value)) throw new Error("CLUSTER SLOTS: a node is no list");
  const [host, port, id] = value as unknown[];
  if (typeof port !== "number" || port < 1 || port > 65_535) {
    throw new Error(`CLUSTER SLOTS: a node with port ${String(port)}`);
  }
  // "" and nil stand for the address we asked at, "?" for a node whose address nobody knows.
  const isKnown = typeof host === "string" && host !== "" && host !== "?";
  return { host: isKnown ? host : askedHost, port, id: typeof id === "string" ? id : "" };
}
