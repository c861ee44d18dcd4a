/**
 * CLIENT PAUSE, and the pauses that failovers ask for: commands are deferred, not refused. A client
 * whose command meets a pause is blocked; when the pause ends, its command is processed anew and
 * its connection read on.
 *
 * It owns when which pause ends and who waits; how a command is run again is the waiter's business.
 */
import type { Argument } from "@slotlog/resp";
import type { Client } from "../net/client.js";
import type { Clock, Timer } from "../ports.js";

export type PauseMode = "write" | "all";

/** Who asked for it: each has an end and a mode of its own, and the strongest counts. */
export type PauseReason = "client" | "failover" | "shutdown";

/** Timers of Node.js end at 2^31 - 1 ms; a failover's pause has no end of its own. */
const timerMsMax = 2 ** 31 - 1;

interface Pause {
  /** Monotonic: a pause neither grows nor shrinks when the wall clock steps. */
  readonly until: number;
  readonly mode: PauseMode;
}

export interface PauseHost {
  readonly clock: Clock;
  /** Runs the command that was deferred, as if it came now. */
  runDeferred(client: Client, argv: readonly Argument[]): void;
}

export class ClientPause {
  readonly #host: PauseHost;
  readonly #pauses = new Map<PauseReason, Pause>();
  /** In the order in which they met the pause. */
  readonly #waiting = new Map<Client, readonly Argument[]>();
  #timer: Timer | undefined;
  /** What is deferred now; read by dispatch for every command. */
  mode: PauseMode | undefined = undefined;

  constructor(host: PauseHost) {
    this.#host = host;
  }

  /** A later end wins over an earlier one, `all` over `write`. */
  pauseClients(untilUnixMs: number, mode: PauseMode, reason: PauseReason = "client"): void {
    const { clock } = this.#host;
    const until = clock.monotonic() + untilUnixMs - clock.now();
    const before = this.#pauses.get(reason);
    const stronger = before?.mode === "all" ? "all" : mode;
    this.#pauses.set(reason, { until: Math.max(until, before?.until ?? 0), mode: stronger });
    this.#update();
  }

  unpauseClients(reason: PauseReason = "client"): void {
    this.#pauses.delete(reason);
    this.#update();
  }

  /** Blocks the client until the pause ends; then these words are processed. */
  defer(client: Client, argv: readonly Argument[]): void {
    this.#waiting.set(client, [...argv]);
    client.blocked = {
      reason: "pause",
      cancel: () => {
        this.#waiting.delete(client);
        client.blocked = undefined;
      },
    };
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #update(): void {
    const now = this.#host.clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    let mode: PauseMode | undefined;
    for (const [reason, pause] of this.#pauses) {
      if (pause.until <= now) {
        this.#pauses.delete(reason);
        continue;
      }
      next = Math.min(next, pause.until);
      if (mode !== "all") mode = pause.mode;
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    if (mode !== undefined) {
      const delay = Math.min(Math.max(1, next - now), timerMsMax);
      this.#timer = this.#host.clock.after(delay, () => this.#update());
    }
    this.mode = mode;
    // Not at once: this may be called by a command, whose reply is being written.
    if (this.#waiting.size > 0) this.#host.clock.defer(() => this.#release());
  }

  /** Everybody gets another try: those whose command is still deferred come back here. */
  #release(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [client, argv] of waiting) {
      client.blocked = undefined;
      this.#host.runDeferred(client, argv);
    }
  }
}
