/**
 * SHUTDOWN: before the node ends, its replicas get the chance to have all of its writes, for
 * `shutdown-timeout` seconds, during which writes are deferred and the shutdown can be called off.
 *
 * It owns the waiting and who asked; how the node ends is its host's business.
 */
import type { Client } from "../net/client.js";
import type { Clock, Log, Timer } from "../ports.js";
import type { ClientPause } from "./pause.js";
import type { ShutdownOptions } from "./services.js";

export interface ShutdownHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly pause: ClientPause;
  /** `shutdown-timeout`. */
  timeoutSeconds(): number;
  /** Replicas that are connected and do not have everything. */
  lateReplicas(): number;
  /** Asks them how far they are. */
  requestAcks(): void;
  /** Saves and ends the node; returns why that is impossible, as an error reply. */
  end(options: ShutdownOptions): string | undefined;
}

/** Redis looks in its cron, ten times a second. */
const lookIntervalMs = 100;
const failedText = "ERR Errors trying to SHUTDOWN. Check logs.";

export class Shutdown {
  readonly #host: ShutdownHost;
  #options: ShutdownOptions | undefined;
  #deadline = 0;
  #timer: Timer | undefined;
  /** Those who asked: they get an answer only if nothing comes of it. */
  readonly #askers = new Set<Client>();

  constructor(host: ShutdownHost) {
    this.#host = host;
  }

  get inProgress(): boolean {
    return this.#options !== undefined;
  }

  /** How long the replicas still have, for INFO. */
  get millisecondsLeft(): number | undefined {
    if (!this.inProgress) return undefined;
    return Math.max(0, this.#deadline - this.#host.clock.monotonic());
  }

  /**
   * Begins to end the node; returns the text of an error reply if that fails at once. A signal asks
   * without a client.
   */
  request(client: Client | undefined, options: ShutdownOptions, now: boolean): string | undefined {
    const { clock, log, pause } = this.#host;
    if (this.inProgress) {
      this.#block(client);
      return undefined;
    }
    const timeoutMs = this.#host.timeoutSeconds() * 1000;
    if (now || timeoutMs === 0 || this.#host.lateReplicas() === 0) return this.#host.end(options);
    log.notice("Waiting for replicas before shutting down.");
    this.#options = options;
    this.#deadline = clock.monotonic() + timeoutMs;
    pause.pauseClients(Number.POSITIVE_INFINITY, "write", "shutdown");
    this.#block(client);
    this.#timer = clock.every(lookIntervalMs, () => this.#look());
    this.#host.requestAcks();
    return undefined;
  }

  /** SHUTDOWN ABORT; false if there is nothing to call off. */
  abort(): boolean {
    if (!this.inProgress) return false;
    this.#host.log.notice("Shutdown was called off.");
    this.#leave();
    this.#answer();
    return true;
  }

  /** The node stops for another reason. */
  stop(): void {
    if (this.inProgress) this.#leave();
    this.#askers.clear();
  }

  #look(): void {
    const { clock, log } = this.#host;
    const late = this.#host.lateReplicas();
    if (late > 0 && clock.monotonic() < this.#deadline) {
      this.#host.requestAcks();
      return;
    }
    if (late > 0) log.warning(`${late} of the replicas do not have all writes at the shutdown.`);
    const options = this.#options as ShutdownOptions;
    this.#leave();
    if (this.#host.end(options) !== undefined) this.#answer();
  }

  #leave(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#options = undefined;
    this.#host.pause.unpauseClients("shutdown");
  }

  #block(client: Client | undefined): void {
    if (client === undefined) return;
    this.#askers.add(client);
    client.blocked = {
      reason: "shutdown",
      cancel: () => {
        this.#askers.delete(client);
        client.blocked = undefined;
      },
    };
  }

  #answer(): void {
    const askers = [...this.#askers];
    this.#askers.clear();
    for (const client of askers) {
      client.blocked = undefined;
      client.link.push(Buffer.from(`-${failedText}\r\n`, "latin1"));
      // Not at once: another client's command may be running.
      this.#host.clock.defer(() => client.link.resume());
    }
  }
}
