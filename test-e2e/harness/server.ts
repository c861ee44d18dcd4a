// Starts and stops server processes, ours and real ones, each in a directory of its own, with its
// log captured. Whatever a test does, no process outlives it: they are disposed of, and killed by
// their pid when the test's process ends.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./ports.js";
import { projectRoot } from "./project-root.js";
import { RawClient } from "./raw-client.js";
import { textOf } from "./reply.js";

/** The command that starts a server, before its directives. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** The server we are measured against; REDIS_SERVER names another one than the system's. */
export function realRedis(): Program {
  const command = process.env["REDIS_SERVER"] ?? "redis-server";
  return { name: "redis-server", command, args: [] };
}

/** A tool that comes with that server: another version's may not read its files. */
export function realTool(name: string): string {
  const { command } = realRedis();
  return command.includes("/") ? join(dirname(command), name) : name;
}

/**
 * What is tested: slotlog as built. SLOTLOG_SUBJECT puts any redis-server in its place, which tries
 * the tests themselves, and shows what differs between two versions of the real one.
 */
export function subject(options: { readonly nodeFlags?: readonly string[] } = {}): Program {
  const other = process.env["SLOTLOG_SUBJECT"];
  if (other !== undefined) return { name: "subject", command: other, args: [] };
  const bin = join(projectRoot(), "packages/slotlog/dist/bin.js");
  const flags = options.nodeFlags ?? [];
  return { name: "slotlog", command: process.execPath, args: [...flags, bin, "node"] };
}

export function isOurs(): boolean {
  return process.env["SLOTLOG_SUBJECT"] === undefined;
}

export interface ServerOptions {
  readonly program: Program;
  readonly directives?: readonly string[];
  /** A directory to start in again; without one a new one is made, and removed at the end. */
  readonly directory?: string;
  readonly port?: number;
  /** Sent with AUTH by `client()` and by the wait for readiness. */
  readonly password?: string;
}

const startTimeoutMs = 30_000;
const stopGraceMs = 10_000;

export class Server implements AsyncDisposable {
  readonly port: number;
  readonly directory: string;
  readonly ended: Promise<string>;
  readonly #options: ServerOptions;
  readonly #child: ChildProcess;
  readonly #killAtExit = (): void => void this.#child.kill("SIGKILL");
  #log = "";
  #how: string | undefined;

  private constructor(options: ServerOptions, port: number, directory: string) {
    this.#options = options;
    this.port = port;
    this.directory = directory;
    const { command, args } = options.program;
    const directives = ["--port", String(port), "--dir", directory, ...(options.directives ?? [])];
    this.#child = spawn(command, [...args, ...directives], { stdio: ["ignore", "pipe", "pipe"] });
    // One listener a server, and a test may start many.
    process.setMaxListeners(0);
    process.once("exit", this.#killAtExit);
    const keep = (chunk: Buffer): void => void (this.#log += chunk.toString("latin1"));
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#how ??= how;
        process.removeListener("exit", this.#killAtExit);
        resolve(how);
      };
      this.#child.once("error", (error) => end(error.message));
      this.#child.once("close", (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  /** Resolves when the server answers PING; rejects, with its log, when it ends before. */
  static async start(options: ServerOptions): Promise<Server> {
    const port = options.port ?? (await freePort());
    const directory = options.directory ?? temporaryDirectory();
    const server = new Server(options, port, directory);
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get log(): string {
    return this.#log;
  }

  get running(): boolean {
    return this.#how === undefined;
  }

  async client(): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    const { password } = this.#options;
    if (password !== undefined) await client.call("AUTH", password);
    return client;
  }

  /** As a crash: no handler runs, nothing is flushed. */
  async kill9(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** In order, as SIGTERM asks for; the directory stays. */
  async stop(): Promise<string> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopGraceMs);
    const how = await this.ended;
    clearTimeout(timer);
    return how;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill9();
    if (this.#options.directory === undefined) removeDirectory(this.directory);
  }

  // A function of its own: esbuild's `using` in a loop throws an earlier round's error again.
  async #ping(): Promise<string> {
    using client = await this.client();
    return textOf(await client.call("PING"));
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    let last = "nothing";
    while (performance.now() < deadline) {
      if (this.#how !== undefined) break;
      try {
        last = await this.#ping();
        if (last === "PONG") return;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      await delay(20);
    }
    const { command } = this.#options.program;
    const state = this.#how ?? `not ready after ${startTimeoutMs} ms, last answer: ${last}`;
    throw new Error(`${command} on port ${this.port}: ${state}\n${this.#log.slice(-4000)}`);
  }
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "slotlog-test-"));
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

/** Polls what only polling can see, and says at the end what was still missing. */
export async function eventually(
  what: string,
  look: () => Promise<string | undefined>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const missing = await look();
    if (missing === undefined) return;
    if (performance.now() > deadline) throw new Error(`${what}: after ${timeoutMs} ms ${missing}`);
    await delay(50);
  }
}
