/**
 * Clock and network of one simulated process, which can be killed alone: its timers fall silent and
 * its connections break, while the world goes on. It also knows whom the process dialled, so that
 * the link between two nodes can be cut or stopped.
 */
import type { Clock, DialOptions, Listener, ListenOptions, Net, Socket } from "../../ports.js";

/** Nobody listens there: who dials it is refused. */
const nobody = 1;

const deaf = { onData: (): void => {}, onClose: (): void => {} };

export interface ProcessPortsOptions {
  readonly clock: Clock;
  readonly net: Net;
  /** Whether this process can reach that port now. */
  readonly reaches: (port: number) => boolean;
}

export class ProcessPorts implements Net {
  readonly clock: Clock;
  readonly #options: ProcessPortsOptions;
  #alive = true;
  #accepted: Socket[] = [];
  #dialled: { readonly port: number; readonly socket: Socket }[] = [];
  readonly #listeners: Listener[] = [];

  constructor(options: ProcessPortsOptions) {
    const { clock } = options;
    const whileAlive = (callback: () => void) => (): void => {
      if (this.#alive) callback();
    };
    this.#options = options;
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (delayMs, callback) => clock.after(delayMs, whileAlive(callback)),
      every: (intervalMs, callback) => {
        const timer = clock.every(intervalMs, () => {
          if (this.#alive) callback();
          else timer.cancel();
        });
        return timer;
      },
      defer: (callback) => clock.defer(whileAlive(callback)),
    };
  }

  async listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> {
    const listener = await this.#options.net.listen(options, (socket) => {
      this.#accepted = [...this.#accepted.filter(({ open }) => open), socket];
      onConnection(socket);
    });
    this.#listeners.push(listener);
    return listener;
  }

  listenUnix: Net["listenUnix"] = (options, onConnection) =>
    this.#options.net.listenUnix(options, onConnection);

  lookup: Net["lookup"] = (host) => this.#options.net.lookup(host);

  dial(options: DialOptions): Socket {
    const { net, reaches } = this.#options;
    if (!this.#alive || !reaches(options.port)) return net.dial({ ...options, port: nobody });
    const socket = net.dial(options);
    this.#dialled = [
      ...this.#dialled.filter((other) => other.socket.open),
      { port: options.port, socket },
    ];
    return socket;
  }

  /** Breaks what it has dialled to that port. */
  cut(port: number): void {
    for (const socket of this.#to(port)) socket.destroy();
  }

  /** It reads nothing from that port until `readAgain`; connections stay. */
  stopReading(port: number): void {
    for (const socket of this.#to(port)) socket.pause();
  }

  readAgain(): void {
    for (const { socket } of this.#dialled) if (socket.open) socket.resume();
  }

  /** As `kill -9`. */
  async kill(): Promise<void> {
    this.#alive = false;
    for (const socket of [...this.#accepted, ...this.#dialled.map((each) => each.socket)]) {
      socket.setHandlers(deaf);
      socket.destroy();
    }
    for (const listener of this.#listeners) await listener.close();
  }

  #to(port: number): Socket[] {
    return this.#dialled.filter((each) => each.port === port).map((each) => each.socket);
  }
}
