/**
 * Connections between simulated nodes. Owns what a network may do to them: delay, loss, doubled
 * packets, partitions in one or both directions, resets, and ends of connections that nobody hears
 * of. Packets of one connection and direction never overtake each other, those of different ones
 * do.
 */

import type { Millis } from "../message.js";
import type { SeededRandom, SimClock } from "./sim-world.js";

/** What a node does with what its connections do. */
export interface SimEndpoint {
  readonly name: string;
  onConnected(connection: SimConnection): void;
  onPacket(connection: SimConnection, packet: Uint8Array): void;
  onClosed(connection: SimConnection): void;
}

/** A packet, or the end of the connection behind all packets. */
interface InFlight {
  readonly to: SimEndpoint;
  readonly packet: Uint8Array | "fin";
}

/** One TCP connection. Each side may believe it open while the other knows better. */
export interface SimConnection {
  readonly from: SimEndpoint;
  readonly to: SimEndpoint;
  /** The sides that have not closed it, nor heard of its end. */
  readonly open: Set<SimEndpoint>;
  /** What waits for a partition to heal, as in the kernel's send buffer. */
  stalled: InFlight[];
  /** When the last packet in each direction arrives; later ones come after it. */
  lastToTo: Millis;
  lastToFrom: Millis;
}

export class SimNetwork {
  latencyMsMin = 1;
  latencyMsMax = 5;
  /** Of a thousand packets, so many vanish. TCP would not let them; the protocol must not mind. */
  lostPerMille = 0;
  doubledPerMille = 0;
  /** Of a thousand packets, so many reset their connection in their place. */
  resetPerMille = 0;
  readonly #clock: SimClock;
  readonly #random: SeededRandom;
  readonly #listeners = new Map<string, SimEndpoint>();
  readonly #cut = new Set<string>();
  readonly #slow = new Map<string, Millis>();
  readonly #connections = new Set<SimConnection>();

  constructor(clock: SimClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  listen(address: string, endpoint: SimEndpoint): void {
    this.#listeners.set(address, endpoint);
  }

  /**
   * The node is gone. Of a killed process the kernel tells the peers; of a machine without power
   * nobody does, until it is back and knows nothing of the connection.
   */
  die(endpoint: SimEndpoint, kind: "process" | "power"): void {
    for (const [address, listener] of this.#listeners) {
      if (listener === endpoint) this.#listeners.delete(address);
    }
    for (const connection of this.#connections) {
      if (connection.from !== endpoint && connection.to !== endpoint) continue;
      if (kind === "process") this.close(connection, endpoint);
      else {
        connection.open.delete(endpoint);
        connection.stalled = connection.stalled.filter((held) => held.to === endpoint);
      }
    }
  }

  dial(
    from: SimEndpoint,
    address: string,
    callbacks: {
      readonly connected: (connection: SimConnection) => void;
      readonly refused: () => void;
    },
  ): void {
    this.#clock.after(this.#latency(from, undefined), () => {
      const to = this.#listeners.get(address);
      if (to === undefined) {
        this.#clock.after(this.#latency(from, undefined), callbacks.refused);
        return;
      }
      // A SYN into a partition is never answered; the dialler gives up in its own time.
      if (this.isCutBetween(from, to)) return;
      const connection: SimConnection = {
        from,
        to,
        open: new Set([from, to]),
        stalled: [],
        lastToTo: 0,
        lastToFrom: 0,
      };
      this.#connections.add(connection);
      to.onConnected(connection);
      callbacks.connected(connection);
    });
  }

  send(connection: SimConnection, from: SimEndpoint, packet: Uint8Array): void {
    if (!connection.open.has(from)) return;
    const dice = this.#random.below(1000);
    let limit = this.resetPerMille;
    if (dice < limit) {
      this.reset(connection);
      return;
    }
    limit += this.lostPerMille;
    if (dice < limit) return;
    this.#transmit(connection, from, packet);
    if (dice < limit + this.doubledPerMille) this.#transmit(connection, from, packet);
  }

  /** What was sent before still arrives, then the end does. */
  close(connection: SimConnection, by: SimEndpoint): void {
    if (!connection.open.delete(by)) return;
    if (connection.open.size === 0) this.#connections.delete(connection);
    else this.#transmit(connection, by, "fin");
  }

  /** Both sides lose the connection, and whatever is under way on it. */
  reset(connection: SimConnection): void {
    this.#connections.delete(connection);
    const sides = [...connection.open];
    connection.open.clear();
    connection.stalled = [];
    for (const side of sides) {
      this.#clock.after(this.#latency(side, undefined), () => side.onClosed(connection));
    }
  }

  resetBetween(a: SimEndpoint, b: SimEndpoint): void {
    for (const connection of this.#connections) {
      const { from, to } = connection;
      if ((from === a && to === b) || (from === b && to === a)) this.reset(connection);
    }
  }

  /** Nothing passes between the two, either way. */
  cut(a: string, b: string): void {
    this.#cut.add(`${a}>${b}`).add(`${b}>${a}`);
  }

  cutOneWay(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  slow(from: string, to: string, extraMs: Millis): void {
    this.#slow.set(`${from}>${to}`, extraMs);
  }

  /** Ends partitions and slowness; what waited is sent again. */
  heal(): void {
    this.#cut.clear();
    this.#slow.clear();
    for (const connection of this.#connections) {
      const held = connection.stalled;
      connection.stalled = [];
      for (const { to, packet } of held) {
        const from = connection.from === to ? connection.to : connection.from;
        this.#transmit(connection, from, packet);
      }
    }
  }

  /** `heal`, and no more loss, doubles or resets. */
  calm(): void {
    this.lostPerMille = 0;
    this.doubledPerMille = 0;
    this.resetPerMille = 0;
    this.heal();
  }

  isCutBetween(a: SimEndpoint, b: SimEndpoint): boolean {
    return this.#isCut(a, b) || this.#isCut(b, a);
  }

  #transmit(connection: SimConnection, from: SimEndpoint, packet: Uint8Array | "fin"): void {
    const to = connection.from === from ? connection.to : connection.from;
    if (this.#isCut(from, to) || connection.stalled.some((held) => held.to === to)) {
      connection.stalled.push({ to, packet });
      return;
    }
    const last = to === connection.to ? connection.lastToTo : connection.lastToFrom;
    const arrival = Math.max(this.#clock.now + this.#latency(from, to), last);
    if (to === connection.to) connection.lastToTo = arrival;
    else connection.lastToFrom = arrival;
    this.#clock.at(arrival, () => {
      // It may have been cut while the packet was on its way: the sender sends it again later.
      if (this.#isCut(from, to)) connection.stalled.push({ to, packet });
      else this.#arrive(connection, to, packet);
    });
  }

  #arrive(connection: SimConnection, to: SimEndpoint, packet: Uint8Array | "fin"): void {
    if (!connection.open.has(to)) {
      // A machine that is back, or a process that closed, answers with a reset.
      if ([...this.#listeners.values()].includes(to)) this.reset(connection);
      return;
    }
    if (packet !== "fin") {
      to.onPacket(connection, packet);
      return;
    }
    connection.open.delete(to);
    if (connection.open.size === 0) this.#connections.delete(connection);
    to.onClosed(connection);
  }

  #isCut(from: SimEndpoint, to: SimEndpoint): boolean {
    return this.#cut.size > 0 && this.#cut.has(`${from.name}>${to.name}`);
  }

  #latency(from: SimEndpoint, to: SimEndpoint | undefined): Millis {
    const base = this.latencyMsMin + this.#random.below(this.latencyMsMax - this.latencyMsMin + 1);
    if (this.#slow.size === 0 || to === undefined) return base;
    const extra = this.#slow.get(`${from.name}>${to.name}`) ?? 0;
    return extra === 0 ? base : base + this.#random.below(extra);
  }
}
