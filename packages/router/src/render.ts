/** Replies that the router makes itself, in the client's protocol. Not for the hot path. */
import { ReplyWriter } from "@slotlog/resp";

const arenaBytes = 64 * 1024;

export class Renderer {
  readonly #writer = new ReplyWriter(arenaBytes);
  #chunks: Buffer[] = [];
  readonly #sink = { chunk: (bytes: Buffer): void => void this.#chunks.push(bytes) };

  render(protocol: 2 | 3, write: (writer: ReplyWriter) => void): Buffer {
    this.#writer.attach(this.#sink, protocol);
    try {
      write(this.#writer);
    } finally {
      this.#writer.detach();
    }
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#writer.recycle();
    return bytes;
  }
}

export const okReply = Buffer.from("+OK\r\n", "latin1");

/** `text` begins with its code, as in `ERR no such key`. */
export function errorReply(text: string): Buffer {
  return Buffer.from(`-${text.replace(/[\r\n]/g, " ")}\r\n`, "latin1");
}

export function simpleReply(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`, "latin1");
}

export function isError(reply: Buffer): boolean {
  return reply[0] === 0x2d;
}

/** The text of an error reply, or of any other that is one line. */
export function lineOf(reply: Buffer): string {
  return reply.toString("latin1", 1, reply.length - 2);
}
