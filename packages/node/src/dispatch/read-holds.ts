/**
 * Under `appendfsync always`: what was read may not be shown before it is durable. It keeps, per
 * slot, the log offset of the last change, and says up to where a reply must wait.
 *
 * It refuses to hold what shows no data: INFO, CONFIG and their like answer on a broken disk too.
 */
import { keyPositions } from "../commands/key-positions.js";
import { type Command, Flag } from "../commands/registry.js";
import type { LogStream } from "../log/stream.js";
import type { Client } from "../net/client.js";

/** Redis' 16384 slots; standalone nodes use them here as well. */
const slotCount = 16384;

export class ReadHolds {
  readonly #stream: LogStream;
  /** `dirty-reads`: readers may see what a power loss can take back. */
  readonly #readsAreDirty: () => boolean;
  readonly #slotOffsets = new Float64Array(slotCount);
  /** FLUSHALL, SWAPDB and their like change keys that nobody names. */
  #allChangedAt = 0;
  #lastChangeAt = 0;
  /** Subscribers who were told of a change whose record ends behind the present offset. */
  #notified: Client[] = [];

  constructor(stream: LogStream, readsAreDirty: () => boolean) {
    this.#stream = stream;
    this.#readsAreDirty = readsAreDirty;
  }

  /** A key of the slot is being changed. */
  changed(slot: number): void {
    // The record ends behind the present offset; what is read before the turn's end waits for the
    // whole turn, which is the same write.
    this.#lastChangeAt = this.#stream.offset + 1;
    this.#slotOffsets[slot] = this.#lastChangeAt;
  }

  /** Whole tables came or went. */
  allChanged(): void {
    this.#allChangedAt = this.#stream.offset + 1;
  }

  /**
   * A command has logged something; the stream stood at `offsetBefore`. Most commands have told of
   * each key that they changed. Those of streams change what groups remember, which is no change
   * of the key to anybody else.
   */
  wrote(client: Client, command: Command, argv: readonly string[], offsetBefore: number): void {
    if (this.#lastChangeAt > offsetBefore && command.spec.docs.group !== "stream") return;
    for (const { index } of keyPositions(command, argv) ?? []) {
      const slot = client.database.slotOf(argv[index] as string);
      this.#slotOffsets[slot] = this.#stream.offset;
    }
  }

  /** Makes the reply to a command that changed nothing wait for what it may show. */
  hold(client: Client, command: Command, argv: readonly string[]): void {
    if (client.kind !== "normal" || this.#readsAreDirty()) return;
    const { offset } = this.#stream;
    let needed = client.replyOffset;
    if (needed === offset) return;
    const positions = readsUnnamedKeys(command) ? undefined : keyPositions(command, argv);
    // KEYS, SCAN and DBSIZE look everywhere. EXEC has looked by its commands already.
    const looksEverywhere =
      positions === undefined || (positions.length === 0 && command.has(Flag.readonly));
    if (looksEverywhere) {
      client.replyOffset = offset;
      return;
    }
    if (positions.length === 0) return;
    needed = Math.max(needed, Math.min(this.#allChangedAt, offset));
    for (const { index } of positions) {
      const slot = client.database.slotOf(argv[index] as string);
      const changedAt = this.#slotOffsets[slot] as number;
      needed = Math.max(needed, Math.min(changedAt, offset));
    }
    client.replyOffset = needed;
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

/** SORT BY and GET read keys that are made of what the list holds. */
function readsUnnamedKeys(command: Command): boolean {
  return command.keySpecs.some(
    ({ begin, flags }) => begin.type === "unknown" || flags.includes("incomplete"),
  );
}
