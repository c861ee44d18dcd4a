/**
 * The bytes of requests on their way to one node, gathered for one write per turn and kept until
 * they are answered, because a redirect sends them again. Chunks are used again as soon as nobody
 * needs them, which under light load is after each turn.
 */
import { type Argument, commandByteLength, encodeCommandChunks, writeCommand } from "@slotlog/resp";
import type { Socket } from "./ports.js";
import type { Request } from "./request.js";

const chunkBytes = 64 * 1024;
/** A connection of one client's own sends little: a thousand of them must not cost 64 MiB. */
const firstChunkBytes = 4 * 1024;
/** From this size on a request has buffers of its own. */
const ownBytes = 16 * 1024;

export class RequestChunk {
  readonly bytes: Buffer;
  end = 0;
  /** Up to here it was written to the socket. */
  flushed = 0;
  /** Requests that are not answered. */
  references = 0;
  /** The socket keeps parts of it: never written again. */
  isOwned = false;
  isCurrent = true;

  constructor(bytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(bytes);
  }

  release(): void {
    this.references--;
    if (this.references > 0 || this.isOwned || this.flushed < this.end) return;
    if (!this.isCurrent) return;
    this.end = 0;
    this.flushed = 0;
  }
}

export class Outbox {
  #chunk = new RequestChunk(firstChunkBytes);
  /** Sealed pieces in front of the current chunk's. */
  #ready: { readonly bytes: Uint8Array; readonly chunk: RequestChunk | undefined }[] = [];

  get isEmpty(): boolean {
    return this.#ready.length === 0 && this.#chunk.flushed === this.#chunk.end;
  }

  /** Bytes that are a request already. */
  addRaw(request: Request, source: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length >= ownBytes) {
      this.#addParts(request, [Buffer.from(source.subarray(start, end))], length);
      return;
    }
    const chunk = this.#room(length);
    const { bytes } = chunk;
    let p = chunk.end;
    if (length <= 96) {
      for (let at = start; at < end; at++) bytes[p++] = source[at] as number;
    } else {
      source.copy(bytes, p, start, end);
      p += length;
    }
    this.#placed(request, chunk, p);
  }

  addCommand(request: Request, argv: readonly Argument[]): void {
    const length = commandByteLength(argv);
    if (length >= ownBytes) {
      this.#addParts(request, encodeCommandChunks(argv), length);
      return;
    }
    const chunk = this.#room(length);
    this.#placed(request, chunk, writeCommand(chunk.bytes, chunk.end, argv));
  }

  /** A request that another connection had. */
  addAgain(request: Request): void {
    const { chunk, parts, start, end } = request;
    if (parts !== undefined) {
      this.#addParts(request, parts, request.bytes);
    } else if (chunk !== undefined) {
      this.addRaw(request, chunk.bytes, start, end);
      chunk.release();
    }
  }

  flush(socket: Socket): void {
    if (this.#ready.length > 0) {
      const ready = this.#ready;
      this.#ready = [];
      for (const { bytes, chunk } of ready) {
        if (!socket.write(bytes) && chunk !== undefined) chunk.isOwned = true;
      }
    }
    const chunk = this.#chunk;
    if (chunk.end === chunk.flushed) return;
    const piece = chunk.bytes.subarray(chunk.flushed, chunk.end);
    chunk.flushed = chunk.end;
    if (!socket.write(piece)) chunk.isOwned = true;
    if (chunk.references === 0 && !chunk.isOwned) {
      chunk.end = 0;
      chunk.flushed = 0;
    }
  }

  #placed(request: Request, chunk: RequestChunk, end: number): void {
    request.chunk = chunk;
    request.start = chunk.end;
    request.end = end;
    request.bytes = end - chunk.end;
    chunk.end = end;
    chunk.references++;
  }

  #addParts(request: Request, parts: readonly Buffer[], length: number): void {
    request.parts = parts;
    request.chunk = undefined;
    request.bytes = length;
    this.#seal();
    for (const bytes of parts) this.#ready.push({ bytes, chunk: undefined });
  }

  #room(bytes: number): RequestChunk {
    const { bytes: memory, end, isOwned } = this.#chunk;
    if (memory.length - end >= bytes && !isOwned) return this.#chunk;
    this.#seal();
    this.#chunk.isCurrent = false;
    this.#chunk = new RequestChunk(chunkBytes);
    return this.#chunk;
  }

  #seal(): void {
    const chunk = this.#chunk;
    if (chunk.end === chunk.flushed) return;
    this.#ready.push({ bytes: chunk.bytes.subarray(chunk.flushed, chunk.end), chunk });
    chunk.flushed = chunk.end;
  }
}
