/**
 * Connections to targets that are kept for the next MIGRATE: a resharding says thousands, one after
 * the other. Only idle ones are in it; whoever takes one gives it back, or closes it.
 */
import type { Clock, Net, Timer } from "../ports.js";
import { type TargetAddress, TargetConnection } from "./target-connection.js";

/** As Redis: at most so many, and so long. */
const connectionsMax = 64;
const idleMsMax = 10_000;
const checkIntervalMs = 1000;

export class TargetPool {
  readonly #ports: { readonly clock: Clock; readonly net: Net };
  #idle: TargetConnection[] = [];
  #timer: Timer | undefined;

  constructor(ports: { readonly clock: Clock; readonly net: Net }) {
    this.#ports = ports;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /** A connection that was kept, or a new one. */
  take({ host, port }: TargetAddress): TargetConnection {
    const index = this.#idle.findIndex(
      ({ address, open }) => open && address.host === host && address.port === port,
    );
    if (index < 0) return new TargetConnection(this.#ports, { host, port });
    return this.#idle.splice(index, 1)[0] as TargetConnection;
  }

  giveBack(connection: TargetConnection): void {
    if (!connection.open) return;
    if (this.#idle.length >= connectionsMax) this.#idle.shift()?.close();
    this.#idle.push(connection);
    this.#timer ??= this.#ports.clock.every(checkIntervalMs, () => this.#closeOld());
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
    this.#idle = [];
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #closeOld(): void {
    const limit = this.#ports.clock.monotonic() - idleMsMax;
    this.#idle = this.#idle.filter((connection) => {
      if (connection.open && connection.lastUsedAt >= limit) return true;
      connection.close();
      return false;
    });
    if (this.#idle.length === 0) this.close();
  }
}
