/**
 * The `Net` port on `node:net`.
 *
 * All sockets of one adapter read into one buffer: a chunk is consumed during `onData`, so nothing
 * is allocated per read. (`node:net` offers that for dialled sockets, by its `onread` option; an
 * accepted socket is given the same by moving its handle into a socket made with that option.)
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { lookup } from "node:dns/promises";
import * as net from "node:net";
import type {
  DialOptions,
  Listener,
  ListenOptions,
  Net,
  Socket,
  SocketHandlers,
  UnixListenOptions,
} from "../ports.js";

/** As much as one read takes; libuv's own choice for sockets. */
const readBufferBytes = 64 * 1024;

/**
 * What waits behind a slow reader is copied together up to this size, as Redis has it: a reply of
 * nine bytes would otherwise keep the whole arena that it stands in.
 */
const joinedBytes = 16 * 1024;

class NodeSocket implements Socket {
  #socket: net.Socket;
  #handlers: SocketHandlers | undefined;
  readonly #unixPath: string | undefined;
  #closed = false;
  #error: Error | undefined;
  remoteAddress = "";
  remotePort = 0;
  localAddress = "";
  localPort = 0;

  #paused = false;
  /** Bytes of the write that the kernel has not taken whole. */
  #inFlight = 0;
  /** What waits behind it, or for the connection to be up. */
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Memory of our own; the last entry of the queue may end in it and grow. */
  #tail: Buffer | undefined = undefined;
  #tailEnd = 0;
  /** A write is being handed over: it may call back before that returns. */
  #sending = false;
  #ending = false;
  readonly #onWritten = (error?: Error | null): void => {
    this.#inFlight = 0;
    if (error !== undefined && error !== null) this.#socket.destroy(error);
    else if (!this.#sending) this.#sendQueue();
  };

  constructor(create: (onRead: OnRead) => net.Socket, unixPath?: string) {
    this.#unixPath = unixPath;
    this.#socket = create((target, bytes) => this.#read(target, bytes));
    const socket = this.#socket;
    socket.setNoDelay(true);
    this.#readAddresses();
    socket.on("connect", () => {
      this.#readAddresses();
      socket.setNoDelay(true);
      this.#handlers?.onConnect?.();
      if (this.#queue.length > 0) this.#sendQueue();
    });
    socket.on("error", (error) => {
      this.#error = error;
    });
    // A peer that closed its side gets the replies of this turn and no more, as from Redis.
    socket.on("end", () => setImmediate(() => socket.destroy()));
    socket.on("close", () => {
      if (this.#closed) return;
      this.#closed = true;
      this.#handlers?.onClose(this.#error);
    });
  }

  /**
   * False stops libuv, which would read from one busy connection up to 32 times in a row, two
   * megabytes that everybody else waits for: a full buffer is one connection's share of a turn.
   */
  #read(target: Uint8Array, bytes: number): boolean {
    this.#handlers?.onData(Buffer.from(target.buffer, target.byteOffset, bytes));
    if (bytes < target.length || this.#paused) return !this.#paused;
    setImmediate(() => {
      if (!this.#paused) this.#socket.resume();
    });
    return false;
  }

  #readAddresses(): void {
    if (this.#unixPath !== undefined) {
      this.remoteAddress = this.#unixPath;
      this.localAddress = this.#unixPath;
      return;
    }
    const socket = this.#socket;
    this.remoteAddress = unmapped(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = unmapped(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
  }

  get open(): boolean {
    return !this.#closed && !this.#socket.destroyed && !this.#socket.connecting;
  }

  get bufferedBytes(): number {
    return this.#inFlight + this.#queuedBytes;
  }

  setHandlers(handlers: SocketHandlers): void {
    this.#handlers = handlers;
  }

  /**
   * Hands the bytes to the socket's own `_write`, past the buffering of streams, which would cost a
   * tick and several objects for each of a hundred thousand small replies a second. It calls back
   * at once if the kernel takes everything; otherwise what follows waits here.
   */
  write(chunk: Uint8Array): boolean {
    if (this.#socket.destroyed) return true;
    if (this.#inFlight > 0 || this.#queue.length > 0 || this.#socket.connecting) {
      this.#queuedBytes += chunk.length;
      if (chunk.length < joinedBytes) {
        this.#copy(chunk);
        return true;
      }
      this.#queue.push(chunk);
      this.#tail = undefined;
      return false;
    }
    return this.#send(chunk);
  }

  #copy(chunk: Uint8Array): void {
    if (this.#tail !== undefined && this.#tailEnd + chunk.length <= joinedBytes) {
      this.#tail.set(chunk, this.#tailEnd);
      this.#tailEnd += chunk.length;
      this.#queue[this.#queue.length - 1] = this.#tail.subarray(0, this.#tailEnd);
      return;
    }
    this.#tail = Buffer.allocUnsafeSlow(joinedBytes);
    this.#tail.set(chunk);
    this.#tailEnd = chunk.length;
    this.#queue.push(this.#tail.subarray(0, chunk.length));
  }

  #send(chunk: Uint8Array): boolean {
    this.#inFlight = chunk.length;
    this.#sending = true;
    this.#socket._write(chunk, "buffer" as BufferEncoding, this.#onWritten);
    this.#sending = false;
    return this.#inFlight === 0;
  }

  /** The kernel took what was on its way: goes on with what waits, or tells that all has left. */
  #sendQueue(): void {
    let sent = 0;
    while (sent < this.#queue.length && this.#inFlight === 0 && !this.#socket.destroyed) {
      const chunk = this.#queue[sent++] as Uint8Array;
      this.#queuedBytes -= chunk.length;
      this.#send(chunk);
    }
    this.#queue.splice(0, sent);
    if (this.#queue.length === 0) this.#tail = undefined;
    if (this.#queue.length > 0 || this.#inFlight > 0) return;
    this.#handlers?.onDrain?.();
    if (this.#ending) this.#finish();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  end(): void {
    this.#ending = true;
    if (this.bufferedBytes === 0) this.#finish();
  }

  #finish(): void {
    this.#socket.end(() => this.#socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  setKeepAlive(seconds: number): void {
    this.#socket.setKeepAlive(seconds > 0, seconds * 1000);
  }
}

/** What a read calls: the shared buffer, and how much of it was filled; false stops reading. */
type OnRead = (target: Uint8Array, bytes: number) => boolean;

/** An IPv4 address that a dual-stack socket shows as `::ffff:1.2.3.4` is an IPv4 address. */
function unmapped(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** What `node:net` keeps behind a socket, as far as it is moved from one socket to another. */
interface HandleHolder {
  _handle: object | null;
}

/** Makes accepted sockets read into `buffer`, if this Node's sockets have a handle to move. */
function adopt(accepted: net.Socket, buffer: Buffer, onRead: OnRead): net.Socket {
  const holder = accepted as unknown as HandleHolder;
  const handle = holder._handle;
  if (handle === null || handle === undefined) {
    accepted.on("data", (chunk: Buffer) => onRead(chunk, chunk.length));
    return accepted;
  }
  holder._handle = null;
  const options = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer,
      callback: (bytes: number, target: Uint8Array): boolean => onRead(target, bytes),
    },
  };
  return new net.Socket(options as net.SocketConstructorOpts);
}

export function systemNet(): Net {
  const buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  return {
    listen: (options, onConnection) => listen(options, buffer, onConnection),
    listenUnix: (options, onConnection) => listenUnix(options, buffer, onConnection),
    lookup: async (host) => (await lookup(host)).address,
    dial: (options) => dial(options, buffer),
  };
}

function listen(
  options: ListenOptions,
  buffer: Buffer,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
    server.once("error", reject);
    server.on("connection", (accepted) => {
      const socket = new NodeSocket((onRead) => adopt(accepted, buffer, onRead));
      onConnection(socket);
      socket.resume();
    });
    const { host, port, backlog = 511 } = options;
    server.listen({ host, port, backlog, ipv6Only: host.includes(":") }, () => {
      server.removeListener("error", reject);
      const address = server.address() as net.AddressInfo;
      resolve({
        address: address.address,
        port: address.port,
        close: () => closeServer(server),
      });
    });
  });
}

function listenUnix(
  { path, mode, backlog }: UnixListenOptions,
  buffer: Buffer,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  // As Redis does. Anything but a socket stays, and the address is in use.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
    server.once("error", reject);
    server.on("connection", (accepted) => {
      const socket = new NodeSocket((onRead) => adopt(accepted, buffer, onRead), path);
      onConnection(socket);
      socket.resume();
    });
    server.listen({ path, backlog }, () => {
      server.removeListener("error", reject);
      if (mode !== 0) chmodSync(path, mode);
      resolve({ address: path, port: 0, close: () => closeServer(server) });
    });
  });
}

/** Connections live on, so the server's own "close" event is not waited for. */
function closeServer(server: net.Server): Promise<void> {
  server.close();
  return Promise.resolve();
}

function dial(options: DialOptions, buffer: Buffer): Socket {
  const { host, port, localAddress } = options;
  return new NodeSocket((onRead) =>
    net.connect({
      host,
      port,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: { buffer, callback: (bytes, target) => onRead(target, bytes) },
    }),
  );
}
