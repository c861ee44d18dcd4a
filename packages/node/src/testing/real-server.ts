/**
 * A real `redis-server` on a free port, for tests that compare us with it. `REDIS_SERVER` names the
 * program, else the one on the PATH is taken. Loopback only; the data lies in a temporary directory
 * that goes with the server.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = process.env["REDIS_SERVER"] ?? "redis-server";

/** `7.0.15`, or `undefined` (and one loud line) if there is none to compare with. */
export function realServerVersion(): string | undefined {
  try {
    const text = execFileSync(program, ["--version"], { encoding: "latin1" });
    return /v=(\S+)/.exec(text)?.[1];
  } catch {
    console.error(`NOT COMPARED: there is no ${program}; set REDIS_SERVER to a real redis-server`);
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

export class RealServer {
  readonly #process: ChildProcess;
  readonly #socket: Socket;
  readonly #directory: string;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(child: ChildProcess, socket: Socket, directory: string) {
    this.#process = child;
    this.#socket = socket;
    this.#directory = directory;
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
  }

  /** Starts a server with an AOF and no snapshots; `args` as on its command line. */
  static async start(...args: readonly string[]): Promise<RealServer> {
    const directory = mkdtempSync(join(tmpdir(), "slotlog-real-"));
    const port = await freePort();
    const fixed = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory];
    const log = ["--appendonly", "yes", "--appendfsync", "no", "--enable-debug-command", "yes"];
    const child = spawn(program, [...fixed, ...log, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await ready(child);
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.setNoDelay(true);
    return new RealServer(child, socket, directory);
  }

  /** Sends all commands at once; the bytes of each reply. */
  async run(commands: readonly (readonly string[])[]): Promise<Buffer[]> {
    this.#socket.write(Buffer.from(commands.map(encode).join(""), "latin1"));
    const replies: Buffer[] = [];
    let start = 0;
    while (replies.length < commands.length) {
      const end = replyEnd(this.#received, start);
      if (end >= 0) {
        replies.push(Buffer.from(this.#received.subarray(start, end)));
        start = end;
        continue;
      }
      this.#received = this.#received.subarray(start);
      start = 0;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#received = this.#received.subarray(start);
    return replies;
  }

  async text(...words: readonly string[]): Promise<string> {
    const [reply] = await this.run([words]);
    return (reply as Buffer).toString("latin1");
  }

  /** What stands in the increment of its AOF. */
  incrementBytes(): Buffer {
    const directory = join(this.#directory, "appendonlydir");
    const name = readdirSync(directory).find((file) => file.endsWith(".incr.aof")) as string;
    return readFileSync(join(directory, name));
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function ready(child: ChildProcess): Promise<void> {
  let output = "";
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk);
    if (output.includes("Ready to accept connections")) {
      child.stdout?.resume();
      return;
    }
  }
  throw new Error(`redis-server did not start: ${output}`);
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** Index behind the reply that begins at `start`, or -1 if it is not complete. */
export function replyEnd(bytes: Buffer, start: number): number {
  let at = start;
  let wanted = 1;
  while (wanted > 0) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0) return -1;
    const kind = String.fromCharCode(bytes[at] as number);
    const count = Number(bytes.toString("latin1", at + 1, lineEnd));
    at = lineEnd + 2;
    wanted--;
    if ("$=!".includes(kind) && count >= 0) {
      at += count + 2;
      if (at > bytes.length) return -1;
    } else if ("*~>".includes(kind) && count > 0) {
      wanted += count;
    } else if (kind === "%" || kind === "|") {
      wanted += 2 * count + (kind === "|" ? 1 : 0);
    }
  }
  return at;
}
