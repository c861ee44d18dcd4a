// A node as a test suite holds it: its address, and what can be done to it.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Host, LocalHost } from "./host.js";
import { reservePorts } from "./ports.js";
import { WorkerHost } from "./worker-host.js";

/** Directives of `redis.conf` by their names; an array is a directive with several arguments. */
export type Directives = Readonly<
  Record<string, string | number | boolean | readonly (string | number)[]>
>;

export interface HostingOptions {
  /** `"local"`: in this thread, which starts fastest. `"worker"`: each in a thread of its own. */
  readonly isolation?: "local" | "worker";
  /** Heap limit of each worker in MiB. */
  readonly heapMb?: number;
}

export interface NodeOptions extends HostingOptions {
  /** Default: a free port. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Kept at the end. Default: a temporary directory, which is removed. */
  readonly directory?: string;
  /** Further directives, such as `{ appendonly: true, maxmemory: "100mb" }`. */
  readonly config?: Directives;
}

export type NodeState = "running" | "paused" | "stopped" | "killed";

export class EmbeddedNode implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** In a cluster, where the other nodes reach it. */
  readonly busPort: number | undefined;
  /** Its data, `nodes.conf` and `node.log`. */
  readonly directory: string;
  #state: NodeState = "stopped";
  readonly #host: Host;
  readonly #args: readonly string[];
  #unreachable: readonly number[] = [];
  readonly #onDisposed: () => Promise<void>;

  constructor(options: {
    readonly host: string;
    readonly port: number;
    readonly busPort?: number;
    readonly directory: string;
    readonly args: readonly string[];
    readonly makeHost: (onShutdown: () => void) => Host;
    readonly onDisposed?: () => Promise<void>;
  }) {
    this.host = options.host;
    this.port = options.port;
    this.busPort = options.busPort;
    this.directory = options.directory;
    this.#args = options.args;
    this.#host = options.makeHost(() => {
      this.#state = "stopped";
    });
    this.#onDisposed = options.onDisposed ?? (() => Promise.resolve());
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Where it logs. */
  get logFile(): string {
    return join(this.directory, "node.log");
  }

  /** `redis://host:port`. */
  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  /** Starts it again, from its files, at the same port. Resolves when it serves. */
  async restart(): Promise<void> {
    if (this.#state === "running" || this.#state === "paused") await this.stop();
    if (this.#unreachable.length > 0) await this.#host.cutOff(this.#unreachable);
    await this.#host.start(this.#args);
    this.#state = "running";
  }

  /** Ends it in order, as SIGTERM does. */
  async stop(): Promise<void> {
    if (this.#state === "stopped" || this.#state === "killed") return;
    this.#state = "stopped";
    await this.#host.stop();
  }

  /** As `kill -9`: nothing more is written, said or sent; what the kernel has is kept. */
  async kill(): Promise<void> {
    if (this.#state === "stopped" || this.#state === "killed") return;
    this.#state = "killed";
    await this.#host.kill();
  }

  /** As SIGSTOP: it keeps its connections and does nothing. */
  async pause(): Promise<void> {
    this.#demand("running", "pause");
    this.#state = "paused";
    await this.#host.pause();
  }

  /** As SIGCONT. */
  async resume(): Promise<void> {
    this.#demand("paused", "resume");
    this.#state = "running";
    await this.#host.resume();
  }

  /** Nothing passes on connections that this node makes to these ports. */
  async cutOff(ports: readonly number[]): Promise<void> {
    this.#unreachable = ports;
    if (this.#state === "running" || this.#state === "paused") await this.#host.cutOff(ports);
  }

  /** Ends it and removes its temporary directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#host.dispose();
    await this.#onDisposed();
  }

  #demand(state: NodeState, action: string): void {
    if (this.#state === state) return;
    throw new Error(`cannot ${action} node ${this.port}: it is ${this.#state}`);
  }
}

export function hostMaker(options: HostingOptions): (onShutdown: () => void) => Host {
  return options.isolation === "worker"
    ? (onShutdown) => new WorkerHost(onShutdown, options.heapMb)
    : (onShutdown) => new LocalHost(onShutdown);
}

/** Directives as the arguments of `slotlog node`. */
export function directiveArguments(directives: Directives): string[] {
  return Object.entries(directives).flatMap(([name, value]) => {
    if (typeof value === "boolean") return [`--${name}`, value ? "yes" : "no"];
    const values = Array.isArray(value) ? value : [value];
    return [`--${name}`, ...values.map(String)];
  });
}

/** A directory, and what removes it at the end if it was made here. */
export async function workDirectory(
  wanted: string | undefined,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  if (wanted !== undefined) {
    await mkdir(wanted, { recursive: true });
    return { path: wanted, remove: () => Promise.resolve() };
  }
  const path = await mkdtemp(join(tmpdir(), "slotlog-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Starts a standalone server (no cluster, 16 databases). It keeps nothing unless `config` says so:
 * `{ appendonly: true }`.
 */
export async function startNode(options: NodeOptions = {}): Promise<EmbeddedNode> {
  const address = options.host ?? "127.0.0.1";
  const directory = await workDirectory(options.directory);
  // The ports are taken by the host that will use them, so it is there before the node is.
  const makeHost = hostMaker(options);
  let onShutdown = (): void => {};
  const host = makeHost(() => onShutdown());
  try {
    const port = options.port ?? (await reservePorts(host, address, 1))[0] ?? 0;
    const node = new EmbeddedNode({
      host: address,
      port,
      directory: directory.path,
      args: directiveArguments({
        bind: address,
        port,
        dir: directory.path,
        logfile: "node.log",
        save: "",
        ...options.config,
      }),
      makeHost: (listener) => {
        onShutdown = listener;
        return host;
      },
      onDisposed: () => directory.remove(),
    });
    await node.restart();
    return node;
  } catch (error) {
    await host.dispose();
    await directory.remove();
    throw error;
  }
}
