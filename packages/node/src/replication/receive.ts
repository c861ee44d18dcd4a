/**
 * A data set on its way in: the frame, the RDB inside it, and the target that loads it. Events are
 * applied as they come; only when all is there and verified may the target replace the old data.
 */

import { RdbDecoder } from "../rdb/index.js";
import type { HistoryPosition } from "./core/history.js";
import { type TransferFrame, TransferHeaderReader } from "./core/transfer.js";
import type { LoadTarget } from "./settings.js";

export type ReceiveResult =
  | { readonly kind: "wait" }
  /** The data set is complete and verified; `rest` is what came behind it. */
  | { readonly kind: "done"; readonly rest: Buffer }
  | { readonly kind: "failed"; readonly reason: string };

const wait: ReceiveResult = { kind: "wait" };

export class DataSetReceiver {
  /** Where the stream goes on; `undefined` from a primary that has no PSYNC. */
  readonly position: HistoryPosition | undefined;
  readonly #target: LoadTarget;
  readonly #header = new TransferHeaderReader();
  readonly #decoder = new RdbDecoder();
  #frame: TransferFrame | undefined;
  #receivedBytes = 0;
  #isOpen = false;
  #streamDatabase = 0;
  /** What has come of the end mark. */
  #mark = "";

  constructor(target: LoadTarget, position: HistoryPosition | undefined) {
    this.#target = target;
    this.position = position;
  }

  /** Whether the load target has been given anything. */
  get hasBegun(): boolean {
    return this.#isOpen;
  }

  /** Bytes of the data set, 0 if the primary did not say. */
  get totalBytes(): number {
    return this.#frame?.kind === "length" ? this.#frame.bytes : 0;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The database that the stream starts in, as the data set says. */
  get streamDatabase(): number {
    return this.#streamDatabase;
  }

  push(chunk: Buffer): ReceiveResult {
    if (this.#frame === undefined) {
      const header = this.#header.push(chunk);
      if (header.kind !== "frame") return header;
      this.#frame = header.frame;
      this.#target.begin(this.position);
      this.#isOpen = true;
      return header.next < chunk.length ? this.#payload(chunk.subarray(header.next)) : wait;
    }
    return this.#payload(chunk);
  }

  #payload(chunk: Buffer): ReceiveResult {
    const frame = this.#frame as TransferFrame;
    if (frame.kind === "mark") {
      this.#receivedBytes += chunk.length;
      if (this.#decoder.finished) return this.#matchMark(frame.mark, chunk);
      const failure = this.#decode(chunk);
      if (failure !== undefined) return failure;
      if (!this.#decoder.finished) return wait;
      return this.#matchMark(frame.mark, this.#decoder.takeRest());
    }
    const count = Math.min(chunk.length, frame.bytes - this.#receivedBytes);
    this.#receivedBytes += count;
    const failure = this.#decode(chunk.subarray(0, count));
    if (failure !== undefined) return failure;
    if (this.#receivedBytes < frame.bytes) return wait;
    if (!this.#decoder.finished || this.#decoder.consumedBytes !== frame.bytes) {
      return { kind: "failed", reason: "the data set is not as long as the primary said" };
    }
    return { kind: "done", rest: Buffer.from(chunk.subarray(count)) };
  }

  #decode(chunk: Buffer): ReceiveResult | undefined {
    try {
      this.#decoder.push(chunk);
      for (;;) {
        const event = this.#decoder.next();
        if (event === undefined) return undefined;
        if (event.kind === "aux" && event.name === "repl-stream-db") {
          this.#streamDatabase = Number(event.value);
        }
        this.#target.apply(event);
        if (event.kind === "eof") return undefined;
      }
    } catch (error) {
      // The loader refuses what is well formed and does not fit, as a database that we lack.
      const why = error instanceof Error ? error.message : String(error);
      return { kind: "failed", reason: `the data set cannot be loaded: ${why}` };
    }
  }

  #matchMark(mark: string, bytes: Buffer): ReceiveResult {
    const missing = mark.length - this.#mark.length;
    this.#mark += bytes.toString("latin1", 0, Math.min(missing, bytes.length));
    if (!mark.startsWith(this.#mark)) {
      return { kind: "failed", reason: "the end mark does not follow the data set" };
    }
    if (this.#mark.length < mark.length) return wait;
    return { kind: "done", rest: Buffer.from(bytes.subarray(Math.min(missing, bytes.length))) };
  }

  commit(): void {
    this.#isOpen = false;
    this.#target.commit();
  }

  abort(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#target.abort();
  }
}
