/**
 * One live owner per directory. Owns the lock's sockets and the little election among processes
 * that start at the same moment; refuses to guess: whoever accepts a connection is alive.
 *
 * Every starter first listens on a socket of its own in the directory, under a name that is never
 * used twice, and only then asks all others it finds. So of two starters at least one sees the
 * other. A question carries the asker's id, and who is asked decides the pair at once: an owner
 * stays, of two candidates the one with the smaller id stays and the other gives up for good.
 * There is nothing to take over: a socket left by `kill -9` or by a dead container refuses the
 * connection and is removed, and because its name never comes back, two starters that both saw it
 * dead cannot remove each other's. (Taking over one well-known name has that race however it is
 * done with rename and link.) A pid file would not do: in containers every node is pid 1.
 *
 * A unix socket answers across containers that share the volume and the kernel. It does not answer
 * across machines: a directory on a network file system is protected on one machine only.
 */

import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import type { DirectoryLock } from "../ports.js";
import { errorCode } from "./disk-error.js";

/** Connected and yet silent for so long counts as alive: it may be stopped in a debugger. */
const answerTimeoutMs = 2000;
const lockNamePattern = /^slotlog\.([0-9a-f]{16})\.lock$/;
const readerId = "f".repeat(16);
/** sockaddr_un holds 108 bytes on Linux, 104 on macOS and the BSDs, its final zero included. */
const socketPathBytesMax = 103;

/** The directory belongs to another live process. */
export class DirectoryLockedError extends Error {
  readonly code = "SLOTLOG_DIRECTORY_LOCKED";
  readonly directory: string;

  constructor(directory: string, owner: string) {
    super(
      `The directory ${directory} belongs to another live node (${owner}). ` +
        `Stop that node, or give this one a directory of its own with --dir.`,
    );
    this.name = "DirectoryLockedError";
    this.directory = directory;
  }
}

/** Takes the directory or throws a `DirectoryLockedError`. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const real = await fs.promises.realpath(directory);
  if (process.platform === "win32") return lockByPipe(real);
  const candidate = new Candidate(real);
  try {
    await candidate.listen();
  } catch (error) {
    await candidate.release();
    if (errorCode(error) === "ENOENT") throw new DirectoryLockedError(real, "it is just starting");
    return unlockable(real, error);
  }
  try {
    await candidate.win();
  } catch (error) {
    await candidate.release();
    throw error;
  }
  return candidate;
}

/**
 * Who owns the directory, in words, or `undefined` if no live process does. For readers: nothing is
 * written, and a candidate that is asked stays one, because no id is larger than the asker's.
 */
export async function directoryOwner(directory: string): Promise<string | undefined> {
  const real = await fs.promises.realpath(directory);
  if (process.platform === "win32") {
    const answer = await ask(pipeName(real), readerId);
    return answer === "dead" ? undefined : "another process on this machine";
  }
  for (const name of await fs.promises.readdir(real)) {
    if (!lockNamePattern.test(name)) continue;
    const answer = await throughShortPath(real, name, (short) => ask(short, readerId));
    if (answer !== "dead" && answer !== "yields") return answer;
  }
  return undefined;
}

class Candidate implements DirectoryLock {
  readonly weakness = undefined;
  private readonly directory: string;
  private readonly id = randomBytes(8).toString("hex");
  private readonly server: net.Server;
  private state: "candidate" | "owner" | "lost" = "candidate";
  private rival = "";

  constructor(directory: string) {
    this.directory = directory;
    this.server = net.createServer((socket) => {
      this.answer(socket);
    });
    // The lock alone must not keep a process running.
    this.server.unref();
  }

  async listen(): Promise<void> {
    const temporary = `${lockName(this.id)}.new`;
    const temporaryPath = path.join(this.directory, temporary);
    await throughShortPath(this.directory, temporary, (short) => listenOn(this.server, short));
    // Whoever may see the directory may ask: without write permission a connect fails with EACCES,
    // whether the owner lives or not, and a dead lock of another user would hold for ever.
    await fs.promises.chmod(temporaryPath, 0o666);
    // Between bind and listen a socket refuses connections as a dead one does, so it gets the name
    // that others look for only now.
    await fs.promises.rename(temporaryPath, path.join(this.directory, lockName(this.id)));
  }

  /** Asks every other lock in the directory; returns as owner or throws. */
  async win(): Promise<void> {
    const names = await fs.promises.readdir(this.directory);
    for (const name of names) {
      const id = lockNamePattern.exec(name)?.[1];
      if (id === undefined || id === this.id) continue;
      const answer = await throughShortPath(this.directory, name, (short) => ask(short, this.id));
      if (answer === "dead") await removeQuietly(path.join(this.directory, name));
      else if (answer !== "yields") throw new DirectoryLockedError(this.directory, answer);
    }
    if (this.state === "lost") throw new DirectoryLockedError(this.directory, this.rival);
    this.state = "owner";
    await this.removeUnfinished(names);
  }

  /**
   * What a starter left that died before it had its final name. One that is alive may lose its
   * temporary name here too; then its rename fails, and rightly so: we are the owner.
   */
  private async removeUnfinished(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (!name.endsWith(".new") || !lockNamePattern.test(name.slice(0, -4))) continue;
      await removeQuietly(path.join(this.directory, name));
    }
  }

  async release(): Promise<void> {
    this.state = "lost";
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
    // Closing removes the path that was bound, which may have been the short one.
    await removeQuietly(path.join(this.directory, lockName(this.id)));
  }

  private answer(socket: net.Socket): void {
    let question = "";
    socket.setEncoding("latin1");
    socket.unref();
    socket.setTimeout(answerTimeoutMs, () => {
      socket.destroy();
    });
    socket.on("error", () => {
      socket.destroy();
    });
    socket.on("data", (chunk: string) => {
      question += chunk;
      const end = question.indexOf("\n");
      if (end < 0 && question.length <= 64) return;
      socket.end(`${this.decide(question.slice(0, end))}\n`);
    });
  }

  /** The one place where a pair of starters is decided. */
  private decide(asker: string): string {
    if (this.state === "candidate" && /^[0-9a-f]{16}$/.test(asker) && asker < this.id) {
      this.state = "lost";
      this.rival = "it is just starting";
    }
    if (this.state === "lost") return "yields";
    return `pid ${process.pid} on ${os.hostname()}`;
  }
}

function lockName(id: string): string {
  return `slotlog.${id}.lock`;
}

/**
 * Asks the lock at `socketPath`: `"dead"` if nobody listens, `"yields"` if it will not be the
 * owner, else words that name the live process.
 */
function ask(socketPath: string, id: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    let connected = false;
    const socket = net.connect({ path: socketPath });
    socket.setEncoding("latin1");
    const settle = (result: string): void => {
      resolve(result);
      socket.destroy();
    };
    socket.setTimeout(answerTimeoutMs, () => {
      settle("it accepts connections but does not answer");
    });
    socket.on("connect", () => {
      connected = true;
      socket.write(`${id}\n`);
    });
    socket.on("data", (chunk: string) => {
      answer += chunk;
      const end = answer.indexOf("\n");
      if (end >= 0) settle(answer.slice(0, end));
    });
    socket.on("error", (error) => {
      settle(meaningOfFailure(error, connected));
    });
    // It closed without a word: it ended while we asked, and so did its claim.
    socket.on("close", () => {
      settle("dead");
    });
  });
}

function meaningOfFailure(error: Error, connected: boolean): string {
  if (connected) return "dead";
  const code = errorCode(error);
  if (code === "ECONNREFUSED" || code === "ENOENT" || code === "ECONNRESET") return "dead";
  return `its lock cannot be asked: ${error.message}`;
}

function listenOn(server: net.Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: socketPath, exclusive: true }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

/**
 * Runs `action` with a path to `name` in `directory` that fits a socket address. A long directory
 * is reached through a symbolic link that lives only for the call; the socket itself is made in
 * the directory, since only the last part of the path is the socket's name.
 */
async function throughShortPath<T>(
  directory: string,
  name: string,
  action: (short: string) => Promise<T>,
): Promise<T> {
  const direct = path.join(directory, name);
  if (Buffer.byteLength(direct) <= socketPathBytesMax) return action(direct);
  const holder = await fs.promises.mkdtemp(path.join(os.tmpdir(), "slotlog-"));
  const link = path.join(holder, "d");
  try {
    await fs.promises.symlink(directory, link);
    return await action(path.join(link, name));
  } finally {
    await removeQuietly(link);
    await fs.promises.rmdir(holder).catch(() => undefined);
  }
}

async function removeQuietly(file: string): Promise<void> {
  await fs.promises.unlink(file).catch(() => undefined);
}

/**
 * Some mounts hold no sockets (shared folders of virtual machines, some network file systems).
 * There is no safe lock to be had on them, and refusing would keep slotlog off them altogether.
 */
function unlockable(directory: string, error: unknown): DirectoryLock {
  const code = errorCode(error) ?? "";
  if (!["ENOTSUP", "EOPNOTSUPP", "EPERM", "EINVAL", "ENOSYS", "EIO"].includes(code)) throw error;
  return {
    weakness:
      `The file system of ${directory} holds no sockets (${code}), so nothing keeps a second ` +
      `node off this directory.`,
    release: () => Promise.resolve(),
  };
}

/** A named pipe vanishes with its process, and its name can be taken once: a system lock. */
async function lockByPipe(directory: string): Promise<DirectoryLock> {
  const server = net.createServer((socket) => {
    socket.destroy();
  });
  server.unref();
  try {
    await listenOn(server, pipeName(directory));
  } catch (error) {
    if (errorCode(error) !== "EADDRINUSE") throw error;
    throw new DirectoryLockedError(directory, "another process on this machine");
  }
  return {
    weakness: undefined,
    release: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function pipeName(directory: string): string {
  const hash = createHash("sha256").update(directory.toLowerCase()).digest("hex").slice(0, 32);
  return `\\\\.\\pipe\\slotlog-${hash}`;
}
