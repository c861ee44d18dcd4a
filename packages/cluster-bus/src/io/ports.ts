/**
 * What the driver needs of a node's ports: the members it uses, and no more, so that any node's
 * ports fit by structure and this package imports no node.
 */

import type { Buffer } from "node:buffer";

export interface BusTimer {
  cancel(): void;
}

export interface BusClock {
  now(): number;
  monotonic(): number;
  after(delayMs: number, callback: () => void): BusTimer;
  every(intervalMs: number, callback: () => void): BusTimer;
}

export interface BusSocketHandlers {
  onConnect?(): void;
  onData(chunk: Buffer): void;
  onClose(error: Error | undefined): void;
}

export interface BusSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly bufferedBytes: number;
  setHandlers(handlers: BusSocketHandlers): void;
  write(chunk: Uint8Array): boolean;
  destroy(): void;
}

export interface BusListener {
  readonly port: number;
  close(): Promise<void>;
}

export interface BusNet {
  listen(
    options: { readonly host: string; readonly port: number },
    onConnection: (socket: BusSocket) => void,
  ): Promise<BusListener>;
  dial(options: { readonly host: string; readonly port: number }): BusSocket;
}

export interface BusDiskFile {
  writeSync(chunks: readonly Uint8Array[]): void;
  syncSync(): void;
  closeSync(): void;
  write(chunks: readonly Uint8Array[]): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface BusDisk {
  open(path: string, mode: "truncate"): Promise<BusDiskFile>;
  openSync(path: string, mode: "truncate"): BusDiskFile;
  renameSync(from: string, to: string): void;
  removeSync(path: string): void;
  syncDirectory(path: string): Promise<void>;
  syncDirectorySync(path: string): void;
}

export interface BusLog {
  debug(message: string): void;
  verbose(message: string): void;
  notice(message: string): void;
  warning(message: string): void;
}
