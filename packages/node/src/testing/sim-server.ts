/**
 * A whole node in a virtual world, for tests of what happens on disk: simulated disk, network and
 * clock, real connections and commands. Time moves only while a test waits for something.
 */
import assert from "node:assert/strict";
import { encodeCommand, ReplyDecoder, type ReplyValue } from "@slotlog/resp";
import { Configuration, type NodeConfig } from "../config/config.js";
import { Node } from "../node.js";
import type { Clock, Net, Socket } from "../ports.js";
import { SimNet } from "../replication/testing/sim-net.js";
import { LogLines } from "./aof-world.js";
import { processInfo, seededRandom } from "./command-harness.js";
import { SimClock } from "./sim-clock.js";
import { SimDisk } from "./sim-disk.js";

const usualPort = 6379;
/** Virtual time that a test may wait for one thing. */
const patienceMs = 20_000;

export interface SimServerOptions {
  readonly config?: Partial<NodeConfig>;
  /** That of an earlier server, to start on what it left. */
  readonly disk?: SimDisk;
  readonly clock?: SimClock;
  /** That of other servers, to meet them; then each has a port and a clock with them. */
  readonly net?: SimNet;
  readonly port?: number;
  /** What stands between this node and the world, where others must be able to end it. */
  readonly clockOfProcess?: Clock;
  readonly netOfProcess?: Net;
  /** Each life of a node needs another, or it would give out the ids of the one before. */
  readonly seed?: number;
  /** Time that passes whenever the node looks at its clock: work in slices takes many of them. */
  readonly tickMs?: number;
}

export class SimServer {
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly net: SimNet;
  readonly log = new LogLines();
  readonly node: Node;
  readonly port: number;
  shutDown = false;

  private constructor(options: SimServerOptions) {
    this.clock = options.clock ?? new SimClock();
    this.disk = options.disk ?? new SimDisk({ clock: this.clock });
    this.disk.makeDirectorySync("/data");
    this.net = options.net ?? new SimNet(this.clock, 1);
    this.net.pieceBytesMax = 64 * 1024;
    this.port = options.port ?? usualPort;
    const clock = options.clockOfProcess ?? this.clock;
    const configuration = new Configuration(
      { workingDirectory: "/data", checkDirectory: () => undefined },
      { port: this.port, save: [], enableDebugCommand: "yes", ...options.config },
    );
    this.node = new Node({
      ports: {
        clock: options.tickMs === undefined ? clock : new TickingClock(clock, options.tickMs),
        random: seededRandom(options.seed ?? options.port ?? 1),
        disk: this.disk.forProcess(),
        net: options.netOfProcess ?? this.net,
        log: this.log,
      },
      configuration,
      process: processInfo,
      onShutdown: () => {
        this.shutDown = true;
      },
    });
  }

  static async start(options: SimServerOptions = {}): Promise<SimServer> {
    const server = new SimServer(options);
    await server.wait(server.node.start());
    return server;
  }

  /** Lets time pass until the promise settles. */
  async wait<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await this.until(() => settled, "a promise to settle");
    return promise;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    for (let elapsed = 0; !condition(); elapsed += 1) {
      assert.ok(elapsed < patienceMs, `waited in vain for ${what}`);
      await this.clock.advance(1);
    }
  }

  /** Kills the process: a later server on the same disk finds what the kernel had. */
  kill(): void {
    this.disk.restartProcess();
  }

  async connect(): Promise<SimClient> {
    const client = new SimClient(this);
    await this.until(() => client.connected, "a connection");
    return client;
  }
}

export class SimClient {
  connected = false;
  readonly replies: ReplyValue[] = [];
  readonly #server: SimServer;
  readonly #socket: Socket;
  readonly #decoder = new ReplyDecoder();

  constructor(server: SimServer) {
    this.#server = server;
    this.#socket = server.net.dial({ host: "127.0.0.1", port: server.port });
    this.#socket.setHandlers({
      onConnect: () => {
        this.connected = true;
      },
      onData: (chunk) => {
        this.#decoder.push(Buffer.from(chunk));
        for (let reply = this.#decoder.next(); reply !== undefined; reply = this.#decoder.next()) {
          this.replies.push(reply);
        }
      },
      onClose: () => {
        this.connected = false;
      },
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends without waiting. */
  send(...words: readonly string[]): void {
    this.#socket.write(encodeCommand(words));
  }

  /** Sends and waits for the reply, as text: errors begin with `-`. */
  async ask(...words: readonly string[]): Promise<string> {
    const before = this.replies.length;
    this.send(...words);
    await this.#server.until(() => this.replies.length > before, `a reply to ${words.join(" ")}`);
    return replyText(this.replies.at(-1));
  }
}

export function replyText(reply: ReplyValue | undefined): string {
  if (reply instanceof Error) return `-${reply.message}`;
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  if (Array.isArray(reply)) return reply.map((each) => replyText(each)).join(" ");
  if (reply === undefined || (typeof reply === "object" && reply !== null)) {
    throw new Error("a reply of this type has no text here");
  }
  return String(reply);
}

/** A clock on which a little time passes whenever somebody looks at it. */
export class TickingClock implements Clock {
  readonly #clock: Clock;
  readonly #stepMs: number;
  #elapsedMs = 0;

  constructor(clock: Clock, stepMs: number) {
    this.#clock = clock;
    this.#stepMs = stepMs;
  }

  monotonic(): number {
    this.#elapsedMs += this.#stepMs;
    return this.#clock.monotonic() + this.#elapsedMs;
  }

  now = (): number => this.#clock.now();
  after: Clock["after"] = (delayMs, callback) => this.#clock.after(delayMs, callback);
  every: Clock["every"] = (intervalMs, callback) => this.#clock.every(intervalMs, callback);
  defer: Clock["defer"] = (callback) => this.#clock.defer(callback);
}
