/**
 * One full synchronisation: a snapshot that is sent to all replicas which waited for it, as it is
 * made; or, to those that must be told its length first and with `repl-diskless-sync no`, by way of
 * a file. The slowest of them sets the pace; `repl-timeout` ends it for one that does not read.
 */

import type { Clock, Timer } from "../ports.js";
import type { HistoryPosition, ReplicationId } from "./core/history.js";
import { transferHeader } from "./core/transfer.js";
import type { ReplicaLink } from "./replica-link.js";
import { Spool, type SpoolPlace } from "./spool.js";

/** The snapshot rests while a socket holds so much. */
const socketBytesMax = 256 * 1024;

export interface FullSyncOptions {
  readonly clock: Clock;
  readonly position: HistoryPosition;
  /** Forty characters that end a data set whose length is not known beforehand. */
  readonly mark: ReplicationId;
  readonly timeoutMs: () => number;
  /** Replicas that can find its end get the data set as it is made. */
  readonly diskless: boolean;
  readonly spool: SpoolPlace;
  /** A link has all of the data set, with an end mark or behind its length. */
  readonly onSent: (link: ReplicaLink, marked: boolean) => void;
}

const lineFeed = Buffer.from("\n");

export class FullSync {
  readonly #options: FullSyncOptions;
  readonly #marked: readonly ReplicaLink[];
  readonly #counted: readonly ReplicaLink[];
  readonly #spool: Spool;
  /** The length was told: from there on every byte is one of the data set. */
  #toldLength = false;
  #wake: (() => void) | undefined;

  /** The links are in state "receiving" and were told the position. */
  constructor(options: FullSyncOptions, links: readonly ReplicaLink[]) {
    this.#options = options;
    const isMarked = ({ peer }: ReplicaLink): boolean => {
      // Parts of a data set always go without a file, as in Redis.
      const isPart = !peer.wantsKeys || !peer.wantsFunctions;
      return (options.diskless || isPart) && peer.canReadMark;
    };
    this.#marked = links.filter(isMarked);
    this.#counted = links.filter((link) => !isMarked(link));
    this.#spool = new Spool(options.spool);
  }

  /** Settles when all replicas have the data set or are gone. Throws if the snapshot fails. */
  async run(snapshot: AsyncIterable<Buffer>): Promise<void> {
    try {
      await this.#takeSnapshot(snapshot);
      if (receiving(this.#counted).length > 0) await this.#sendSpool();
    } finally {
      // What remains of it costs room only until the next one.
      await this.#spool.discard().catch(() => {});
    }
  }

  /** Once a second: those that wait for the length must see that we live. */
  everySecond(): void {
    if (this.#toldLength) return;
    for (const link of receiving(this.#counted)) link.send(lineFeed);
  }

  async #takeSnapshot(snapshot: AsyncIterable<Buffer>): Promise<void> {
    const { mark, onSent } = this.#options;
    const header = transferHeader({ kind: "mark", mark });
    for (const link of receiving(this.#marked)) link.sendText(header);
    for await (const chunk of snapshot) {
      for (const link of receiving(this.#marked)) link.send(chunk);
      if (receiving(this.#counted).length > 0) await this.#store(chunk);
      await this.#room(this.#marked);
      if (receiving(this.#marked).length + receiving(this.#counted).length === 0) return;
    }
    for (const link of receiving(this.#marked)) {
      link.sendText(mark);
      onSent(link, true);
    }
  }

  /** A full disk ends it for those who need the file, not for the others. */
  async #store(chunk: Buffer): Promise<void> {
    try {
      await this.#spool.write(chunk);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      for (const link of receiving(this.#counted)) {
        link.close(`its data set cannot be stored in ${this.#options.spool.path}: ${why}`);
      }
    }
  }

  async #sendSpool(): Promise<void> {
    const header = transferHeader({ kind: "length", bytes: this.#spool.bytes });
    this.#toldLength = true;
    for (const link of receiving(this.#counted)) link.sendText(header);
    for await (const piece of this.#spool.read()) {
      for (const link of receiving(this.#counted)) link.send(piece);
      await this.#room(this.#counted);
      if (receiving(this.#counted).length === 0) return;
    }
    for (const link of receiving(this.#counted)) this.#options.onSent(link, false);
  }

  /** A socket has drained, or a link is gone. */
  wake(): void {
    this.#wake?.();
  }

  /** Waits until every socket has room. A link that takes nothing for `repl-timeout` is closed. */
  async #room(links: readonly ReplicaLink[]): Promise<void> {
    for (;;) {
      const full = receiving(links).filter((link) => link.bufferedBytes > socketBytesMax);
      if (full.length === 0) return;
      let timer: Timer | undefined;
      const inTime = await new Promise<boolean>((resolve) => {
        this.#wake = (): void => resolve(true);
        timer = this.#options.clock.after(this.#options.timeoutMs(), () => resolve(false));
      });
      timer?.cancel();
      this.#wake = undefined;
      if (inTime) continue;
      for (const link of full) link.close("it did not take the data set within repl-timeout");
    }
  }
}

function receiving(links: readonly ReplicaLink[]): ReplicaLink[] {
  return links.filter((link) => link.state === "receiving");
}
