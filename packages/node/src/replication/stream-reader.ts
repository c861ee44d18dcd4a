/**
 * The primary's command stream: bytes in, commands executed, and the same bytes appended to our own
 * history, where our replicas read them. It appends only up to where everything was executed, so
 * that offset and data agree and a replica of ours never has a part of a command that we ask for
 * again. A transaction counts as one command.
 */

import type { Argument, CommandDecoder } from "@slotlog/resp";
import type { ReplicationHistory } from "./core/history.js";
import type { StreamTarget } from "./settings.js";

export interface StreamReaderOptions {
  readonly target: StreamTarget;
  readonly history: ReplicationHistory;
  readonly decoder: CommandDecoder;
  /** The database selected where the stream begins. */
  readonly database: number;
  /** The primary asks for our offset. */
  readonly onAckWanted: (offset: number) => void;
  readonly onAppended: () => void;
}

export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #decoder: CommandDecoder;
  /** Our history's offset when the stream began. */
  readonly #startOffset: number;
  /** Selected outside of transactions; what an open one selects counts from its EXEC on. */
  #database: number;
  #selected: number;
  #inTransaction = false;
  /** Bytes received that belong to something not complete; they are not in the history yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes of the stream, from its beginning, that are in the history. */
  #appended = 0;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#decoder = options.decoder;
    this.#database = options.database;
    this.#selected = options.database;
    this.#startOffset = options.history.offset;
  }

  get database(): number {
    return this.#database;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  push(chunk: Buffer): void {
    const decoder = this.#decoder;
    // Bytes consumed up to where no transaction was open.
    let complete = this.#appended;
    decoder.push(chunk);
    for (;;) {
      const before = decoder.consumedBytes;
      if (!decoder.next()) break;
      this.#execute(decoder.argv, before);
      if (!this.#inTransaction) complete = decoder.consumedBytes;
    }
    this.#keep(chunk, complete);
  }

  #execute(argv: readonly Argument[], before: number): void {
    const first = argv[0] as Argument;
    switch (typeof first === "string" ? first.toUpperCase() : "") {
      case "PING":
        return;
      case "SELECT": {
        const database = Number(argv[1]);
        if (Number.isInteger(database)) this.#selected = database;
        // Within a transaction it is a command like others: what came before is for another one.
        if (this.#inTransaction) break;
        this.#database = this.#selected;
        return;
      }
      case "REPLCONF":
        if (String(argv[1]).toUpperCase() === "GETACK") {
          this.#options.onAckWanted(this.#startOffset + before);
        }
        return;
      case "MULTI":
        this.#inTransaction = true;
        break;
      case "EXEC":
        this.#inTransaction = false;
        this.#options.target.apply(this.#database, argv, this.#decoder);
        this.#database = this.#selected;
        return;
      case "DISCARD":
        this.#inTransaction = false;
        this.#selected = this.#database;
        break;
      default:
        break;
    }
    this.#options.target.apply(this.#database, argv, this.#decoder);
  }

  /** Appends the stream up to `complete`, and keeps the rest of what has come. */
  #keep(chunk: Buffer, complete: number): void {
    const { history } = this.#options;
    let count = complete - this.#appended;
    if (count > 0) {
      for (const held of this.#pending) history.append(held, 0, held.length);
      count -= this.#pendingBytes;
      history.append(chunk, 0, count);
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#appended = complete;
      this.#options.onAppended();
    }
    const rest = Math.max(0, count);
    if (rest < chunk.length) {
      this.#pending.push(Buffer.from(chunk.subarray(rest)));
      this.#pendingBytes += chunk.length - rest;
    }
  }
}
