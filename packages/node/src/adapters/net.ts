/**
 * The `Net` port on `node:net`.
 *
 * All sockets of one adapter read into one buffer: a chunk is consumed during `onData`, so nothing
 * is allocated per read. (`node:net` offers that for dialled sockets, by its `onread` option; an
 * accepted socket is given the same by moving its handle into a socket made with that option.)
 */
import * as net from "node:net";
import type { DialOptions, Listener, ListenOptions, Net, Socket, SocketHandlers } from "../ports.js";

/** As much as one read takes; libuv's own choice for sockets. */
const readBufferBytes = 64 * 1024;

class NodeSocket implements Socket {
  #socket: net.Socket;
  #handlers: SocketHandlers | undefined;
  #closed = false;
  #error: Error | undefined;
  remoteAddress = "";
  remotePort = 0;
  localAddress = "";
  localPort = 0;

  constructor(create: (onData: (chunk: Buffer) => void) => net.Socket) {
    this.#socket = create((chunk) => this.#handlers?.onData(chunk));
    const socket = this.#socket;
    socket.setNoDelay(true);
    this.#readAddresses();
    socket.on("connect", () => {
      this.#readAddresses();
      socket.setNoDelay(true);
      this.#handlers?.onConnect?.();
    });
    socket.on("drain", () => this.#handlers?.onDrain?.());
    socket.on("error", (error) => {
      this.#error = error;
    });
    // A peer that closed its side gets no more replies: Redis closes then, too.
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      if (this.#closed) return;
      this.#closed = true;
      this.#handlers?.onClose(this.#error);
    });
  }

  #readAddresses(): void {
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
    return this.#socket.writableLength;
  }

  setHandlers(handlers: SocketHandlers): void {
    this.#handlers = handlers;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#socket.destroyed) return true;
    this.#socket.write(chunk);
    // Libuv tries the system call at once: what is not buffered now has left.
    return this.#socket.writableLength === 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end(() => this.#socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  setKeepAlive(seconds: number): void {
    this.#socket.setKeepAlive(seconds > 0, seconds * 1000);
  }
}

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
function adopt(accepted: net.Socket, buffer: Buffer, onData: (chunk: Buffer) => void): net.Socket {
  const holder = accepted as unknown as HandleHolder;
  const handle = holder._handle;
  if (handle === null || handle === undefined) {
    accepted.on("data", onData);
    return accepted;
  }
  holder._handle = null;
  const options = {
    handle,
    onread: {
      buffer,
      callback: (bytes: number, target: Uint8Array): boolean => {
        onData((target as Buffer).subarray(0, bytes));
        return true;
      },
    },
  };
  return new net.Socket(options as net.SocketConstructorOpts);
}

export function systemNet(): Net {
  const buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  return {
    listen: (options, onConnection) => listen(options, buffer, onConnection),
    dial: (options) => dial(options, buffer),
  };
}

function listen(
  options: ListenOptions,
  buffer: Buffer,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: true });
    server.once("error", reject);
    server.on("connection", (accepted) => {
      const socket = new NodeSocket((onData) => adopt(accepted, buffer, onData));
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

/** Connections live on, so the server's own "close" event is not waited for. */
function closeServer(server: net.Server): Promise<void> {
  server.close();
  return Promise.resolve();
}

function dial(options: DialOptions, buffer: Buffer): Socket {
  const { host, port, localAddress } = options;
  return new NodeSocket((onData) =>
    net.connect({
      host,
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: {
        buffer,
        callback: (bytes, target) => {
          onData(Buffer.from(target.buffer, target.byteOffset, bytes));
          return true;
        },
      },
    }),
  );
}
