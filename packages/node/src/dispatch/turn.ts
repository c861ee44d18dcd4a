/**
 * A turn: everything that is read in one pass of the event loop, and its end, where the log is
 * written once for all commands of the turn and then every connection is flushed once. It is Redis'
 * `beforeSleep`, and it is where group commit comes from.
 */
import type { ReplyWriter } from "@slotlog/resp";
import type { Clock } from "../ports.js";

/** A connection that got replies in this turn. */
export interface TurnOutput {
  /** Sends or holds its replies; true if the reply arena is still in use afterwards. */
  flush(): boolean;
}

export class Turn {
  readonly #clock: Clock;
  readonly #reply: ReplyWriter;
  /** Hands the turn's log records over; runs before any reply leaves. */
  readonly #writeLog: () => void;
  /** Work that belongs to the end of a turn, such as serving blocked clients. */
  readonly #beforeLog: () => void;
  readonly #onEnd: (elapsedMs: number) => void;
  #touched: TurnOutput[] = [];
  #scheduled = false;
  /** Monotonic time at which the turn's first work began. */
  #beganAt = 0;
  #arenaKept = false;
  readonly #end = (): void => this.#finish();

  constructor(options: {
    readonly clock: Clock;
    readonly reply: ReplyWriter;
    readonly beforeLog: () => void;
    readonly writeLog: () => void;
    /** Told how long the turn was. */
    readonly onEnd: (elapsedMs: number) => void;
  }) {
    this.#clock = options.clock;
    this.#reply = options.reply;
    this.#beforeLog = options.beforeLog;
    this.#writeLog = options.writeLog;
    this.#onEnd = options.onEnd;
  }

  /** The end of this turn will come; its work began at that monotonic time, or now. */
  schedule(beganAt = this.#clock.monotonic()): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#beganAt = beganAt;
    this.#clock.defer(this.#end);
  }

  /** A connection has replies to send at the end of this turn. */
  touch(output: TurnOutput): void {
    this.#touched.push(output);
    this.schedule();
  }

  /** Replies that left in the middle of the turn are still in use. */
  keepArena(): void {
    this.#arenaKept = true;
  }

  #finish(): void {
    this.#scheduled = false;
    this.#beforeLog();
    this.#writeLog();
    const touched = this.#touched;
    this.#touched = [];
    let arenaInUse = this.#arenaKept;
    for (const output of touched) {
      if (output.flush()) arenaInUse = true;
    }
    this.#onEnd(this.#clock.monotonic() - this.#beganAt);
    // A reply may have been written while the others were flushed (a push to a closing client's
    // peers): then the arena stays as it is until the next turn ends.
    if (this.#reply.isAttached || this.#touched.length > 0) return;
    this.#arenaKept = false;
    if (arenaInUse) this.#reply.abandon();
    else this.#reply.recycle();
  }
}
