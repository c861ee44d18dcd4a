/**
 * Replies on their way to one client, gathered for one write per turn. Buffers come from a pool
 * that all clients share, so an idle client holds none.
 */
import type { Socket } from "./ports.js";

const pooledBytes = 16 * 1024;
const idleMax = 64;

export class BufferPool {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(pooledBytes);
  }

  give(buffer: Buffer): void {
    if (this.#idle.length < idleMax) this.#idle.push(buffer);
  }
}

export class ClientOutput {
  readonly #pool: BufferPool;
  readonly #socket: Socket;
  #buffer: Buffer | undefined;
  #end = 0;

  constructor(pool: BufferPool, socket: Socket) {
    this.#pool = pool;
    this.#socket = socket;
  }

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  get bytes(): number {
    return this.#end + this.#socket.bufferedBytes;
  }

  /** Copies `[start, end)` of `bytes`. */
  write(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > pooledBytes - this.#end) {
      this.flush();
      if (length > pooledBytes) {
        this.#socket.write(Buffer.from(bytes.subarray(start, end)));
        return;
      }
    }
    this.#buffer ??= this.#pool.take();
    const buffer = this.#buffer;
    let p = this.#end;
    if (length <= 64) {
      for (let at = start; at < end; at++) buffer[p++] = bytes[at] as number;
    } else {
      bytes.copy(buffer, p, start, end);
      p += length;
    }
    this.#end = p;
  }

  flush(): void {
    const buffer = this.#buffer;
    if (buffer === undefined || this.#end === 0) return;
    const end = this.#end;
    this.#end = 0;
    this.#buffer = undefined;
    if (this.#socket.write(buffer.subarray(0, end))) this.#pool.give(buffer);
  }
}
