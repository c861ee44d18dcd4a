/**
 * How the router reaches the world: clock, network and log, handed in by its composition root. They
 * are the parts of a node's ports that a router needs, so a node's adapters fit as they are.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock in Unix milliseconds. */
  now(): number;
  /** Monotonic milliseconds with fraction. */
  monotonic(): number;
  after(delayMs: number, callback: () => void): Timer;
  every(intervalMs: number, callback: () => void): Timer;
  /** Runs `callback` once when everything that is ready has been read. */
  defer(callback: () => void): void;
}

export interface SocketHandlers {
  onConnect?(): void;
  /** `chunk` is only valid during the call. */
  onData(chunk: Buffer): void;
  onDrain?(): void;
  /** Called exactly once, last. */
  onClose(error: Error | undefined): void;
}

export interface Socket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  setHandlers(handlers: SocketHandlers): void;
  /** True if the caller may reuse the memory; else it now belongs to the socket. */
  write(chunk: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes. */
  end(): void;
  destroy(): void;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface Net {
  listen(
    options: { readonly host: string; readonly port: number },
    onConnection: (socket: Socket) => void,
  ): Promise<Listener>;
  dial(options: { readonly host: string; readonly port: number }): Socket;
}

export interface Log {
  notice(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warning(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface RouterPorts {
  readonly clock: Clock;
  readonly net: Net;
  readonly log: Log;
}
