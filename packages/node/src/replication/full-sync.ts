/**
 * One full synchronisation: a snapshot that is sent to all replicas which waited for it, as it is
 * made. The slowest of them sets the pace; `repl-timeout` ends it for one that does not read.
 */

import type { Clock, Timer } from "../ports.js";
import type { HistoryPosition, ReplicationId } from "./core/history.js";
import { transferHeader } from "./core/transfer.js";
import type { ReplicaLink } from "./replica-link.js";

/** The snapshot rests while a socket holds so much. */
const socketBytesMax = 256 * 1024;

export interface FullSyncOptions {
  readonly clock: Clock;
  readonly position: HistoryPosition;
  /** Forty characters that end a data set whose length is not known beforehand. */
  readonly mark: ReplicationId;
  readonly timeoutMs: () => number;
  /** A link has all of the data set. */
  readonly onSent: (link: ReplicaLink) => void;
}

export class FullSync {
  readonly #options: FullSyncOptions;
  readonly #links: ReplicaLink[];
  /** Replicas that must be told a length: for them the data set is collected first. */
  readonly #collected: Buffer[] = [];
  #wake: (() => void) | undefined;

  /** The links are in state "receiving" and were told the position. */
  constructor(options: FullSyncOptions, links: readonly ReplicaLink[]) {
    this.#options = options;
    this.#links = [...links];
  }

  /** Settles when all replicas have the data set or are gone. Throws if the snapshot fails. */
  async run(snapshot: AsyncIterable<Buffer>): Promise<void> {
    const { mark } = this.#options;
    const collects = this.#links.some((link) => !link.peer.canReadMark);
    for (const link of this.#marked()) link.sendText(transferHeader({ kind: "mark", mark }));
    for await (const chunk of snapshot) {
      for (const link of this.#marked()) link.send(chunk);
      if (collects) this.#collected.push(chunk);
      await this.#room();
      if (this.#receiving().length === 0) return;
    }
    for (const link of this.#marked()) {
      link.sendText(mark);
      this.#options.onSent(link);
    }
    if (collects) await this.#sendCollected();
  }

  async #sendCollected(): Promise<void> {
    const bytes = this.#collected.reduce((sum, chunk) => sum + chunk.length, 0);
    const links = this.#receiving();
    for (const link of links) link.sendText(transferHeader({ kind: "length", bytes }));
    for (const chunk of this.#collected) {
      for (const link of links) link.send(chunk);
      await this.#room();
    }
    for (const link of this.#receiving()) this.#options.onSent(link);
  }

  /** A socket has drained, or a link is gone. */
  wake(): void {
    this.#wake?.();
  }

  #receiving(): ReplicaLink[] {
    return this.#links.filter((link) => link.state === "receiving");
  }

  #marked(): ReplicaLink[] {
    return this.#receiving().filter((link) => link.peer.canReadMark);
  }

  /** Waits until every socket has room. A link that takes nothing for `repl-timeout` is closed. */
  async #room(): Promise<void> {
    for (;;) {
      const full = this.#receiving().filter((link) => link.bufferedBytes > socketBytesMax);
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
