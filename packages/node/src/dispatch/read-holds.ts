/**
 * Under `appendfsync always`: what was read may not be shown before it is durable. It keeps, per
 * slot, the log offset of the last change, and says up to where a reply must wait.
 */
import { keyPositions } from "../commands/key-positions.js";
import type { Command } from "../commands/registry.js";
import type { LogStream } from "../log/stream.js";
import type { Client } from "../net/client.js";

/** Redis' 16384 slots; standalone nodes use them here as well. */
const slotCount = 16384;

export class ReadHolds {
  readonly #stream: LogStream;
  readonly #slotOffsets = new Float64Array(slotCount);
  /** Subscribers who were told of a change whose record ends behind the present offset. */
  #notified: Client[] = [];

  constructor(stream: LogStream) {
    this.#stream = stream;
  }

  /** A key of the slot is being changed. */
  changed(slot: number): void {
    // The record ends behind the present offset; what is read before the turn's end waits for the
    // whole turn, which is the same write.
    this.#slotOffsets[slot] = this.#stream.offset + 1;
  }

  /** Makes the reply to a command that changed nothing wait for what it may show. */
  hold(client: Client, command: Command, argv: readonly string[]): void {
    if (client.kind !== "normal") return;
    const positions = keyPositions(command, argv);
    let offset = client.replyOffset;
    if (positions === undefined || positions.length === 0) {
      if (command.spec.docs.group === "connection") return;
      offset = this.#stream.offset;
    }
    for (const { index } of positions ?? []) {
      const slot = client.database.slotOf(argv[index] as string);
      const changedAt = this.#slotOffsets[slot] as number;
      offset = Math.max(offset, Math.min(changedAt, this.#stream.offset));
    }
    client.replyOffset = offset;
  }

  /** A notification of a change in this turn goes to `client`: it waits for the change. */
  holdPush(client: Client): void {
    this.#notified.push(client);
  }

  /** All records of the turn are appended. */
  endTurn(): void {
    if (this.#notified.length === 0) return;
    for (const client of this.#notified) client.replyOffset = this.#stream.offset;
    this.#notified = [];
  }
}
