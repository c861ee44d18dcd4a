/**
 * Bytes of a link → whole packets. Owns the buffering of one link's input. Memory grows with what
 * was received, never with what a length field claims. A bad signature or an impossible length is
 * fatal to the link: there is no way to find the next packet after it.
 */

import { headerAt, headerBytes, signature } from "./layout.js";

const prefixBytes = 8;
const signatureBytes = Buffer.from(signature, "latin1");

export type FrameError = "bad-signature" | "bad-length";

export class PacketFramer {
  readonly #onPacket: (packet: Buffer) => void;
  /** What is held of the packet that is not complete yet. */
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  /** Length of the packet being received, 0 while its first 8 bytes are incomplete. */
  #wantedBytes = 0;
  #closed = false;

  constructor(onPacket: (packet: Buffer) => void) {
    this.#onPacket = onPacket;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Stops delivering: what is still buffered belongs to a link that is gone. */
  close(): void {
    this.#closed = true;
    this.#chunks = [];
    this.#heldBytes = 0;
  }

  /**
   * Takes the next bytes, hands each whole packet to the callback (valid only during the call), and
   * returns what is wrong with the stream, if anything. `bytesMax` bounds one packet.
   */
  push(chunk: Buffer, bytesMax: number): FrameError | undefined {
    let input = chunk;
    if (this.#heldBytes > 0) {
      // Join only when the packet can be completed, or its length is still unknown: a large packet
      // in many chunks is copied once, not once per chunk.
      if (this.#wantedBytes > this.#heldBytes + chunk.length) {
        this.#hold(chunk);
        return undefined;
      }
      this.#chunks.push(chunk);
      input = Buffer.concat(this.#chunks);
      this.#chunks = [];
      this.#heldBytes = 0;
      this.#wantedBytes = 0;
    }
    let at = 0;
    while (!this.#closed) {
      const rest = input.length - at;
      const compared = Math.min(rest, signatureBytes.length);
      if (input.compare(signatureBytes, 0, compared, at, at + compared) !== 0) {
        return "bad-signature";
      }
      if (rest < prefixBytes) break;
      const length = input.readUInt32BE(at + headerAt.totalLength);
      if (length < headerBytes || length > bytesMax) return "bad-length";
      if (rest < length) {
        this.#wantedBytes = length;
        break;
      }
      this.#onPacket(input.subarray(at, at + length));
      at += length;
    }
    if (!this.#closed && at < input.length) this.#hold(input.subarray(at));
    return undefined;
  }

  #hold(bytes: Buffer): void {
    // Copied, because the caller reuses its read buffer.
    this.#chunks.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
  }
}
