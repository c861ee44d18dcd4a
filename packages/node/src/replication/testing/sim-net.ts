/**
 * A network in memory for the tests of replication: connections take a millisecond each way, cut
 * what they carry into pieces of random length, and can be stopped or broken. Bytes are copied at
 * `write` and overwritten after `onData`, so that whoever keeps borrowed memory is found out.
 */

import type { Clock, DialOptions, Listener, ListenOptions, Net, Socket } from "../../ports.js";
import type { SocketHandlers } from "../../ports.js";

const latencyMs = 1;

/** A generator of pseudo-random integers from 0 to `below` - 1 (xorshift). */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

class SimSocket implements Socket {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 2;
  open = true;
  bufferedBytes = 0;
  peer: SimSocket | undefined;
  #handlers: SocketHandlers | undefined;
  #paused = false;
  #ended = false;
  #scheduled = false;
  #outgoing: Buffer[] = [];
  readonly #net: SimNet;

  constructor(net: SimNet) {
    this.#net = net;
  }

  setHandlers(handlers: SocketHandlers): void {
    this.#handlers = handlers;
  }

  get handlers(): SocketHandlers | undefined {
    return this.#handlers;
  }

  write(chunk: Uint8Array): boolean {
    if (!this.open || this.#ended) return true;
    this.#outgoing.push(Buffer.from(chunk));
    this.bufferedBytes += chunk.length;
    this.#schedule();
    return false;
  }

  /** One delivery is under way at a time: what is written meanwhile takes the next. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#net.clock.after(latencyMs, () => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { peer } = this;
    if (!this.open || peer === undefined || !peer.open || peer.#paused) return;
    const bytes = Buffer.concat(this.#outgoing);
    this.#outgoing = [];
    this.bufferedBytes = 0;
    let at = 0;
    while (at < bytes.length && peer.open && !peer.#paused) {
      const most = Math.min(bytes.length - at, this.#net.pieceBytesMax);
      const piece = Buffer.from(bytes.subarray(at, at + 1 + this.#net.random(most)));
      at += piece.length;
      peer.#handlers?.onData(piece);
      piece.fill(0xaa);
    }
    if (at < bytes.length && peer.open) {
      // Paused on the way: the rest comes when it reads again.
      this.#outgoing.unshift(bytes.subarray(at));
      this.bufferedBytes += bytes.length - at;
      return;
    }
    if (this.open) this.#handlers?.onDrain?.();
    if (this.#ended) this.destroy();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const { peer } = this;
    if (peer !== undefined) peer.#deliver();
  }

  end(): void {
    this.#ended = true;
    this.#schedule();
  }

  destroy(): void {
    this.break(undefined);
  }

  /** Ends both sides, as a reset connection does. */
  break(error: Error | undefined): void {
    if (!this.open) return;
    this.open = false;
    const { peer } = this;
    this.#net.clock.after(0, () => this.#handlers?.onClose(error));
    this.#net.clock.after(latencyMs, () => peer?.break(error));
  }
}

export class SimNet implements Net {
  readonly clock: Clock;
  readonly random: (below: number) => number;
  pieceBytesMax = 200;
  readonly #listeners = new Map<number, (socket: Socket) => void>();
  #connections: SimSocket[] = [];

  constructor(clock: Clock, seed: number) {
    this.clock = clock;
    this.random = seededRandom(seed);
  }

  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> {
    const { host, port } = options;
    this.#listeners.set(port, onConnection);
    const close = (): Promise<void> => {
      this.#listeners.delete(port);
      return Promise.resolve();
    };
    return Promise.resolve({ address: host, port, close });
  }

  listenUnix(): Promise<Listener> {
    return Promise.reject(new Error("there are no unix sockets between simulated machines"));
  }

  lookup(host: string): Promise<string> {
    return Promise.resolve(host);
  }

  dial(options: DialOptions): Socket {
    const near = new SimSocket(this);
    this.clock.after(latencyMs, () => {
      const accept = this.#listeners.get(options.port);
      if (accept === undefined) {
        near.break(new Error("connect ECONNREFUSED"));
        return;
      }
      const far = new SimSocket(this);
      near.peer = far;
      far.peer = near;
      this.#connections.push(near);
      accept(far);
      near.handlers?.onConnect?.();
    });
    return near;
  }

  /** Breaks every connection. */
  breakAll(): void {
    for (const socket of this.#connections) socket.break(new Error("read ECONNRESET"));
    this.#connections = [];
  }

  /** Those who dialled stop reading. */
  stopReading(): void {
    for (const socket of this.#connections) socket.pause();
  }

  readAgain(): void {
    for (const socket of this.#connections) socket.resume();
  }
}
