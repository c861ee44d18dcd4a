/**
 * The five ports through which a node reaches the world: `Clock`, `Random`, `Disk`, `Net`, `Log`.
 *
 * A composition root hands them in; production binds them to `node:*` (see `adapters/`), a
 * simulator to a virtual world. Nothing else in this package reads a clock, rolls dice, opens a
 * file or a socket, or prints.
 */

/** Handle of a timer; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock in Unix milliseconds; may step. Expiry and AOF timestamps live on it. */
  now(): number;
  /** Monotonic clock in milliseconds with fraction; measures durations. */
  monotonic(): number;
  /** Runs `callback` once after at least `delayMs`. */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` every `intervalMs`, never overlapping itself. */
  every(intervalMs: number, callback: () => void): Timer;
  /** Runs `callback` once at the end of the turn: after all input that is ready has been read. */
  defer(callback: () => void): void;
}

export interface Random {
  /** A uniformly distributed integer from 0 to 2^32 - 1. */
  uint32(): number;
  /** `length` random bytes, unpredictable in production (they make node ids and passwords). */
  bytes(length: number): Uint8Array;
}

/**
 * A failed disk operation. `code` is the errno name (`ENOSPC`, `EIO`, …); `written` says how many
 * bytes of a failed write reached the file.
 */
export interface DiskError extends Error {
  readonly code: string;
  readonly path?: string;
  readonly written?: number;
}

export type OpenMode =
  /** Must exist. */
  | "read"
  /** Created if missing; writes go to the end. */
  | "append"
  /** Created or emptied; writes go to the end. */
  | "truncate"
  /** Must exist; positioned access. */
  | "update";

/**
 * A file with one write position. It starts at the end of the file (`"update"`: at 0) and moves
 * only when a write succeeds, so the write after a failed one goes to the same offsets: what is
 * retried replaces what was torn and never stands in the file twice. One write at a time.
 */
export interface DiskFile {
  readonly path: string;
  /** Bytes in the file now. */
  size(): number;
  /** Where the next write begins. */
  readonly writePosition: number;
  /** Moves the write position, to write again what a failed sync may have lost. */
  seek(position: number): void;
  /** Hands all chunks to the kernel before it returns; throws a `DiskError` on a short write. */
  writeSync(chunks: readonly Uint8Array[]): void;
  /** As `writeSync`, off the loop. Chunks must not change until it settles. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Makes the data written so far survive a power loss (fdatasync), off the loop. */
  sync(): Promise<void>;
  syncSync(): void;
  /** Up to `length` bytes from `position`; shorter only at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  readSync(position: number, length: number): Buffer;
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  readInto(target: Uint8Array, position: number): Promise<number>;
  /** Cuts the file to `size`; a write position beyond it moves to the new end. */
  truncate(size: number): Promise<void>;
  truncateSync(size: number): void;
  close(): Promise<void>;
  closeSync(): void;
}

/**
 * What keeps a second live process off a directory; see ARCHITECTURE, "a directory has one owner".
 */
export interface DirectoryLock {
  /** Why this directory cannot be locked at all, if it cannot; worth a warning in the log. */
  readonly weakness: string | undefined;
  release(): Promise<void>;
}

export interface Disk {
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  openSync(path: string, mode: OpenMode): DiskFile;
  /** The whole file, or `undefined` if there is none. */
  readFile(path: string): Promise<Buffer | undefined>;
  readFileSync(path: string): Buffer | undefined;
  /** Names in the directory, sorted, or `undefined` if it does not exist. */
  list(path: string): Promise<readonly string[] | undefined>;
  listSync(path: string): readonly string[] | undefined;
  /** Size in bytes, or `undefined` if it does not exist. */
  fileSize(path: string): Promise<number | undefined>;
  makeDirectory(path: string): Promise<void>;
  makeDirectorySync(path: string): void;
  rename(from: string, to: string): Promise<void>;
  renameSync(from: string, to: string): void;
  remove(path: string): Promise<void>;
  removeSync(path: string): void;
  /** fsync of the directory itself: makes creations, renames and removals in it durable. */
  syncDirectory(path: string): Promise<void>;
  syncDirectorySync(path: string): void;
  /** Takes the directory, or throws an error that names the owner if a live process has it. */
  lockDirectory(path: string): Promise<DirectoryLock>;
}

export interface SocketHandlers {
  /** A connection that was dialled is up. Never called for accepted ones. */
  onConnect?(): void;
  /** `chunk` is only valid during the call: its memory is reused for the next read. */
  onData(chunk: Buffer): void;
  /** What `write` could not hand to the kernel at once has all been handed over. */
  onDrain?(): void;
  /** Called exactly once, last; `error` if it did not end in order. */
  onClose(error: Error | undefined): void;
}

export interface Socket {
  /** The path of the socket for a unix socket, with port 0; so is the local one. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** True while the connection is open in both directions as far as we know. */
  readonly open: boolean;
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  setHandlers(handlers: SocketHandlers): void;
  /**
   * Sends. Returns true if the caller may reuse the memory, because the kernel took everything or
   * the bytes were copied; else the memory now belongs to the socket.
   */
  write(chunk: Uint8Array): boolean;
  /** Stops reading; what is unread stays in the kernel and slows the peer. */
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes. */
  end(): void;
  /** Closes at once; what is buffered is lost. */
  destroy(): void;
}

export interface Listener {
  readonly address: string;
  /** The real port, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting; open connections live on. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly backlog?: number;
}

export interface UnixListenOptions {
  /** A socket that a dead process left there is replaced. */
  readonly path: string;
  /** Permission bits of the socket; 0 leaves what the umask gives. */
  readonly mode: number;
  readonly backlog: number;
}

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** Local address to bind, if any. */
  readonly localAddress?: string;
}

export interface Net {
  /** Rejects with an error whose `code` is the errno name (`EADDRINUSE`, …). */
  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener>;
  /** The same on a unix socket, whose file goes when the listener is closed. */
  listenUnix(options: UnixListenOptions, onConnection: (socket: Socket) => void): Promise<Listener>;
  /** The address of a host name, or of an address itself; rejects if there is none. */
  lookup(host: string): Promise<string>;
  /** Returns at once; `onConnect` or `onClose` of the handlers says how it went. */
  dial(options: DialOptions): Socket;
}

/** Redis' four levels, least important first. */
export type LogLevel = "debug" | "verbose" | "notice" | "warning";

export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  verbose(message: string, fields?: Readonly<Record<string, unknown>>): void;
  notice(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warning(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly net: Net;
  readonly log: Log;
}
