/**
 * Virtual time, seeded randomness, and a network of connections between simulated nodes. Owns the
 * order of events: at equal times, the order in which they were scheduled. One seed, one history.
 */

import type { Millis } from "../message.js";
import type { BusRandom } from "../core/inputs.js";

/** A 32-bit generator (mulberry32): small, fast, good enough to vary schedules. */
export class SeededRandom implements BusRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.uint32() % limit;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff);
  }
}

interface Event {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap of events, and the time of the one that runs. */
export class SimClock {
  now: Millis;
  #order = 0;
  readonly #heap: Event[] = [];

  constructor(start: Millis) {
    this.now = start;
  }

  at(time: Millis, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(time, this.now), order: this.#order++, run });
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i] as Event, heap[parent] as Event)) break;
      swap(heap, i, parent);
      i = parent;
    }
  }

  after(delay: Millis, run: () => void): void {
    this.at(this.now + delay, run);
  }

  /** Runs everything up to `time`, which then is the present. */
  runUntil(time: Millis): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= time; next = this.#heap[0]) {
      this.#pop();
      this.now = next.at;
      next.run();
    }
    this.now = time;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      let smallest = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && before(heap[child] as Event, heap[smallest] as Event)) {
          smallest = child;
        }
      }
      if (smallest === i) return;
      swap(heap, i, smallest);
      i = smallest;
    }
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function swap(heap: Event[], a: number, b: number): void {
  const held = heap[a] as Event;
  heap[a] = heap[b] as Event;
  heap[b] = held;
}

/** What a node does with what its connections do. */
export interface SimEndpoint {
  readonly name: string;
  onConnected(connection: SimConnection): void;
  onPacket(connection: SimConnection, packet: Uint8Array): void;
  onClosed(connection: SimConnection): void;
}

/** One TCP connection: packets arrive in order, or the connection breaks. */
export interface SimConnection {
  readonly from: SimEndpoint;
  readonly to: SimEndpoint;
  open: boolean;
  /** Packets that wait for a partition to heal, as in the kernel's send buffer. */
  readonly stalled: { readonly to: SimEndpoint; readonly packet: Uint8Array }[];
  /** When the last packet in each direction arrives; later ones come after it. */
  lastArrival: Map<SimEndpoint, Millis>;
}

export class SimNetwork {
  readonly #clock: SimClock;
  readonly #random: SeededRandom;
  readonly #listeners = new Map<string, SimEndpoint>();
  readonly #cut = new Set<string>();
  readonly #connections = new Set<SimConnection>();
  latencyMsMin = 1;
  latencyMsMax = 5;

  constructor(clock: SimClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  listen(address: string, endpoint: SimEndpoint): void {
    this.#listeners.set(address, endpoint);
  }

  /** The process died: peers it can reach see their connections reset. */
  die(endpoint: SimEndpoint): void {
    for (const [address, listener] of this.#listeners) {
      if (listener === endpoint) this.#listeners.delete(address);
    }
    for (const connection of this.#connections) {
      if (connection.from === endpoint || connection.to === endpoint) {
        this.close(connection, endpoint);
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
    this.#clock.after(this.#latency(), () => {
      const to = this.#listeners.get(address);
      if (to === undefined) {
        this.#clock.after(this.#latency(), callbacks.refused);
        return;
      }
      // A SYN into a partition is never answered; the dialler gives up in its own time.
      if (this.#isCut(from, to)) return;
      const connection: SimConnection = {
        from,
        to,
        open: true,
        stalled: [],
        lastArrival: new Map(),
      };
      this.#connections.add(connection);
      to.onConnected(connection);
      callbacks.connected(connection);
    });
  }

  send(connection: SimConnection, from: SimEndpoint, packet: Uint8Array): void {
    if (!connection.open) return;
    const to = connection.from === from ? connection.to : connection.from;
    if (this.#isCut(from, to) || connection.stalled.some((held) => held.to === to)) {
      connection.stalled.push({ to, packet });
      return;
    }
    const arrival = Math.max(
      this.#clock.now + this.#latency(),
      connection.lastArrival.get(to) ?? 0,
    );
    connection.lastArrival.set(to, arrival);
    this.#clock.at(arrival, () => {
      if (!connection.open) return;
      // It may have been cut while the packet was on its way: the sender sends it again later.
      if (this.#isCut(from, to)) connection.stalled.push({ to, packet });
      else to.onPacket(connection, packet);
    });
  }

  close(connection: SimConnection, by: SimEndpoint): void {
    if (!connection.open) return;
    connection.open = false;
    this.#connections.delete(connection);
    const other = connection.from === by ? connection.to : connection.from;
    // Into a partition no FIN arrives: the other side keeps a dead connection for a while.
    const delay = this.#isCut(by, other) ? 60_000 : this.#latency();
    this.#clock.after(delay, () => other.onClosed(connection));
  }

  /** Nothing passes between the two, either way. */
  cut(a: string, b: string): void {
    this.#cut.add(`${a}>${b}`).add(`${b}>${a}`);
  }

  heal(): void {
    this.#cut.clear();
    for (const connection of this.#connections) {
      const held = connection.stalled.splice(0);
      for (const { to, packet } of held) {
        const from = connection.from === to ? connection.to : connection.from;
        this.send(connection, from, packet);
      }
    }
  }

  isCutBetween(a: SimEndpoint, b: SimEndpoint): boolean {
    return this.#isCut(a, b) || this.#isCut(b, a);
  }

  #isCut(from: SimEndpoint, to: SimEndpoint): boolean {
    return this.#cut.has(`${from.name}>${to.name}`);
  }

  #latency(): Millis {
    return this.latencyMsMin + this.#random.below(this.latencyMsMax - this.latencyMsMin + 1);
  }
}
