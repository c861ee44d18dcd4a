/**
 * A real redis-server beside the harness, to compare with: started on a free port in a directory of
 * its own, asked over a socket, its replies cut apart without being understood, its AOF read back.
 * `REDIS_SERVER` names the binary; else `redis-server` from the path.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CommandDecoder, latin1String } from "@slotlog/resp";

const cr = 0x0d;
/** Commands under way at a time: enough to be fast, few enough not to fill socket buffers. */
const pipelined = 200;
const recordsWaitMs = 3_000;
const lowestPort = 23_000;
const portCount = 9_000;

/** The binary to compare with, or `undefined` if none is installed. */
export function installedRedisServer(): string | undefined {
  const binary = process.env["REDIS_SERVER"] ?? "redis-server";
  return spawnSync(binary, ["--version"]).status === 0 ? binary : undefined;
}

/** Major and minor version as one number: 7.2 is 702. */
export function redisServerVersion(binary: string): number {
  const { stdout } = spawnSync(binary, ["--version"]);
  const [, major = "0", minor = "0"] = /v=(\d+)\.(\d+)/.exec(stdout.toString()) ?? [];
  return Number(major) * 100 + Number(minor);
}

export class RedisServer {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #wanted = 0;
  #replies: Buffer[] = [];
  #done: () => void = () => {};

  private constructor(parts: {
    readonly port: number;
    readonly process: ChildProcess;
    readonly directory: string;
    readonly socket: Socket;
  }) {
    this.port = parts.port;
    this.#process = parts.process;
    this.#directory = parts.directory;
    this.#socket = parts.socket;
    this.#socket.on("data", (chunk: Buffer) => {
      this.#onData(chunk);
    });
  }

  /** `appendOnlyFiles` are there when it starts. Rejects if it does not start. */
  static async start(
    binary: string,
    args: readonly string[] = [],
    appendOnlyFiles: ReadonlyMap<string, Uint8Array> = new Map(),
  ): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), "slotlog-oracle-"));
    if (appendOnlyFiles.size > 0) await mkdir(join(directory, "appendonlydir"));
    for (const [name, content] of appendOnlyFiles) {
      await writeFile(join(directory, "appendonlydir", name), content);
    }
    const port = await freePort();
    // Under `everysec` a write may be put off while the disk syncs: the file would lag behind.
    const appendOnly = ["--save", "", "--appendonly", "yes", "--appendfsync", "no"];
    const debug = ["--enable-debug-command", "yes"];
    const child = spawn(
      binary,
      ["--port", String(port), "--dir", directory, ...appendOnly, ...debug, ...args],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await new Promise<void>((resolve, reject) => {
      let output = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes("Ready to accept connections")) resolve();
      });
      child.on("error", reject);
      child.on("exit", () => {
        reject(new Error(`redis-server ended: ${output}`));
      });
    }).catch(async (error: unknown) => {
      await rm(directory, { recursive: true, force: true });
      throw error;
    });
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RedisServer({ port, process: child, directory, socket });
  }

  /** The raw replies to these commands, in order. */
  async run(commands: readonly (readonly string[])[]): Promise<Buffer[]> {
    const replies: Buffer[] = [];
    for (let from = 0; from < commands.length; from += pipelined) {
      replies.push(...(await this.#batch(commands.slice(from, from + pipelined))));
    }
    return replies;
  }

  /**
   * The records of the AOF's increments; SELECT, MULTI and EXEC included. Where the last of them
   * may still be on their way, as many as are expected are waited for, but not for long.
   */
  async records(expected = 0): Promise<string[][]> {
    const deadline = performance.now() + recordsWaitMs;
    for (;;) {
      const records = await this.#recordsNow();
      if (records.length >= expected || performance.now() > deadline) return records;
      await delay(20);
    }
  }

  async #recordsNow(): Promise<string[][]> {
    const folder = join(this.#directory, "appendonlydir");
    const names = (await readdir(folder)).filter((name) => name.endsWith(".incr.aof")).sort();
    const decoder = new CommandDecoder();
    const records: string[][] = [];
    for (const name of names) {
      decoder.push(await readFile(join(folder, name)));
      while (decoder.next()) {
        records.push(
          decoder.argv.map((word) =>
            typeof word === "string" ? word : latin1String(word, 0, word.length),
          ),
        );
      }
    }
    return records;
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    const exited = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await exited;
    await rm(this.#directory, { recursive: true, force: true });
  }

  #batch(commands: readonly (readonly string[])[]): Promise<Buffer[]> {
    this.#replies = [];
    this.#wanted = commands.length;
    const request = commands
      .map((words) => {
        const bulks = words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
        return `*${words.length}\r\n${bulks}`;
      })
      .join("");
    this.#socket.write(Buffer.from(request, "latin1"));
    return new Promise((resolve) => {
      this.#done = () => {
        resolve(this.#replies);
      };
    });
  }

  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    let start = 0;
    while (start < this.#received.length) {
      const end = replyEnd(this.#received, start);
      if (end < 0) break;
      this.#replies.push(Buffer.from(this.#received.subarray(start, end)));
      start = end;
    }
    this.#received = this.#received.subarray(start);
    if (this.#wanted > 0 && this.#replies.length === this.#wanted) {
      this.#wanted = 0;
      this.#done();
    }
  }
}

/** Index behind the reply that begins at `start`, -1 if it is not complete. */
export function replyEnd(bytes: Buffer, start: number): number {
  let left = 1;
  let at = start;
  while (left > 0) {
    const lineEnd = bytes.indexOf(cr, at);
    if (lineEnd < 0 || lineEnd + 1 >= bytes.length) return -1;
    const type = String.fromCharCode(bytes[at] as number);
    const count = Number(bytes.toString("latin1", at + 1, lineEnd));
    at = lineEnd + 2;
    left -= 1;
    if (type === "$" || type === "=") at += count < 0 ? 0 : count + 2;
    else if (type === "*" || type === "~" || type === ">") left += Math.max(0, count);
    else if (type === "%") left += 2 * count;
    // Attributes stand in front of a reply.
    else if (type === "|") left += 2 * count + 1;
    if (at > bytes.length) return -1;
  }
  return at;
}

/**
 * A port below the range that systems take for outgoing connections: one that was free a moment ago
 * would become some client's, and the server could not start.
 */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const port = lowestPort + Math.floor(Math.random() * portCount);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port found");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => {
      resolve(false);
    });
    probe.listen({ port, exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
