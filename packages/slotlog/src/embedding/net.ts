// The `Net` port of a node that can be stopped, and cut off from others. What a node that stands
// still is sent waits in the kernel; between nodes that are cut off from each other connections
// stay, as they do when a cable is pulled, and nothing passes until the cut heals. It is made on
// the side that dials: each connection between two nodes has one.

import type {
  DialOptions,
  Listener,
  ListenOptions,
  Net,
  Socket,
  SocketHandlers,
  UnixListenOptions,
} from "@slotlog/node";
import type { Life } from "./life.js";

export class StoppableNet implements Net {
  readonly #net: Net;
  readonly #life: Life;
  readonly #sockets = new Set<StoppableSocket>();
  readonly #listeners = new Set<Listener>();
  /** Ports that are ours before the node asks for them. */
  readonly #reserved = new Map<number, Reserved>();
  /** Ports of nodes that this one cannot reach. */
  #unreachable: ReadonlySet<number> = new Set();

  constructor(net: Net, life: Life) {
    this.#net = net;
    this.#life = life;
  }

  /** Listens already; who comes before the node does is turned away. */
  async reserve(options: ListenOptions): Promise<void> {
    const reserved: Reserved = { onConnection: undefined, listener: undefined };
    reserved.listener = await this.#net.listen(options, (socket) => {
      if (reserved.onConnection === undefined) {
        socket.setHandlers({ onData: () => {}, onClose: () => {} });
        socket.destroy();
      } else reserved.onConnection(socket);
    });
    this.#reserved.set(options.port, reserved);
  }

  async listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    const onConnection = (socket: Socket): void => {
      const kept = this.#keep(new StoppableSocket({ net: this, life: this.#life, socket }));
      this.#life.run(() => accept(kept));
    };
    const reserved = this.#reserved.get(options.port);
    let listener = reserved?.listener;
    if (reserved === undefined || listener === undefined) {
      listener = await this.#life.watch(this.#net.listen(options, onConnection));
    } else {
      reserved.onConnection = onConnection;
      this.#reserved.delete(options.port);
    }
    this.#listeners.add(listener);
    return listener;
  }

  lookup(host: string): Promise<string> {
    return this.#net.lookup(host);
  }

  async listenUnix(
    options: UnixListenOptions,
    accept: (socket: Socket) => void,
  ): Promise<Listener> {
    const listener = await this.#life.watch(
      this.#net.listenUnix(options, (socket) => {
        const kept = this.#keep(new StoppableSocket({ net: this, life: this.#life, socket }));
        this.#life.run(() => accept(kept));
      }),
    );
    this.#listeners.add(listener);
    return listener;
  }

  dial(options: DialOptions): Socket {
    const dial = (): Socket => this.#net.dial(options);
    const socket = new StoppableSocket({ net: this, life: this.#life, dial, port: options.port });
    return this.#keep(socket);
  }

  /** The node was made to stand still, or to go on. */
  update(): void {
    for (const socket of this.#sockets) socket.update();
  }

  /** From now on nothing passes to or from nodes at these ports, on connections made here. */
  cutOff(ports: ReadonlySet<number>): void {
    this.#unreachable = ports;
    this.update();
  }

  reaches(port: number | undefined): boolean {
    return port === undefined || !this.#unreachable.has(port);
  }

  /** Ends what a killed node has left behind. */
  async closeAll(): Promise<void> {
    for (const socket of this.#sockets) socket.abandon();
    this.#sockets.clear();
    const reserved = [...this.#reserved.values()].map(({ listener }) => listener);
    for (const listener of [...this.#listeners, ...reserved]) await listener?.close();
    this.#listeners.clear();
    this.#reserved.clear();
  }

  forget(socket: StoppableSocket): void {
    this.#sockets.delete(socket);
  }

  #keep(socket: StoppableSocket): StoppableSocket {
    this.#sockets.add(socket);
    socket.update();
    return socket;
  }
}

interface Reserved {
  onConnection: ((socket: Socket) => void) | undefined;
  listener: Listener | undefined;
}

interface SocketOptions {
  readonly net: StoppableNet;
  readonly life: Life;
  /** An accepted connection. */
  readonly socket?: Socket;
  /** Makes the connection, once its end can be reached. */
  readonly dial?: () => Socket;
  /** The port that is dialled. */
  readonly port?: number;
}

class StoppableSocket implements Socket {
  readonly #options: SocketOptions;
  #socket: Socket | undefined;
  #handlers: SocketHandlers | undefined;
  #paused = false;
  #held = false;
  #ended = false;
  /** What was written while nothing could pass. */
  #written: Buffer[] = [];

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#socket = options.socket;
  }

  get remoteAddress(): string {
    return this.#socket?.remoteAddress ?? "";
  }
  get remotePort(): number {
    return this.#socket?.remotePort ?? 0;
  }
  get localAddress(): string {
    return this.#socket?.localAddress ?? "";
  }
  get localPort(): number {
    return this.#socket?.localPort ?? 0;
  }
  get open(): boolean {
    return this.#socket?.open ?? false;
  }
  get bufferedBytes(): number {
    const waiting = this.#written.reduce((sum, chunk) => sum + chunk.length, 0);
    return waiting + (this.#socket?.bufferedBytes ?? 0);
  }

  setHandlers(handlers: SocketHandlers): void {
    this.#handlers = handlers;
    this.#socket?.setHandlers(this.#guarded(handlers));
  }

  write(chunk: Uint8Array): boolean {
    if (this.#held || this.#socket === undefined) {
      this.#written.push(Buffer.from(chunk));
      return true;
    }
    return this.#socket.write(chunk);
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#held) this.#socket?.resume();
  }

  end(): void {
    if (!this.#held && this.#socket !== undefined) this.#socket.end();
    else this.#ended = true;
  }

  destroy(): void {
    const wasDialled = this.#socket !== undefined;
    this.#socket?.destroy();
    if (wasDialled) return;
    this.#options.net.forget(this);
    this.#options.life.run(() => this.#handlers?.onClose(undefined));
  }

  /** Holds or lets go what passes, as the node's life and its reach now are. */
  update(): void {
    const { life, net, port } = this.#options;
    const reachable = net.reaches(port);
    this.#held = !reachable;
    if (reachable && this.#socket === undefined) this.#dial();
    const socket = this.#socket;
    if (socket === undefined) return;
    if (!reachable || !life.runs) socket.pause();
    else if (!this.#paused) socket.resume();
    if (!reachable) return;
    for (const chunk of this.#written.splice(0)) socket.write(chunk);
    if (this.#ended) socket.end();
  }

  abandon(): void {
    this.#socket?.setHandlers({ onData: () => {}, onClose: () => {} });
    this.#socket?.destroy();
  }

  #dial(): void {
    this.#socket = this.#options.dial?.();
    if (this.#handlers !== undefined) this.#socket?.setHandlers(this.#guarded(this.#handlers));
  }

  /** Data come only while the socket is read; the other events ask whether the node runs. */
  #guarded(handlers: SocketHandlers): SocketHandlers {
    const { life, net } = this.#options;
    return {
      onConnect: () => life.run(() => handlers.onConnect?.()),
      onData: (chunk) => handlers.onData(chunk),
      onDrain: () => life.run(() => handlers.onDrain?.()),
      onClose: (error) => {
        net.forget(this);
        life.run(() => handlers.onClose(error));
      },
    };
  }
}
