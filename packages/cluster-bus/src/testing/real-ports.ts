/**
 * The driver's ports bound to `node:*`, plainly, for tests that run against real sockets and real
 * servers. Production nodes bring their own.
 */

import { Buffer } from "node:buffer";
import { randomBytes, randomInt } from "node:crypto";
import * as fs from "node:fs";
import * as net from "node:net";
import { performance } from "node:perf_hooks";
import type { BusRandom } from "../core/inputs.js";
import type { BusClock, BusDisk, BusDiskFile, BusNet, BusSocket } from "../io/ports.js";

export const realClock: BusClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every: (intervalMs, callback) => {
    const timer = setInterval(callback, intervalMs);
    return { cancel: () => clearInterval(timer) };
  },
};

export const realRandom: BusRandom = {
  uint32: () => randomInt(2 ** 32),
  bytes: (length) => randomBytes(length),
};

function wrapFile(fd: number): BusDiskFile {
  return {
    writeSync: (chunks) => void fs.writevSync(fd, chunks as Uint8Array[]),
    syncSync: () => fs.fdatasyncSync(fd),
    closeSync: () => fs.closeSync(fd),
    write: async (chunks) => void fs.writevSync(fd, chunks as Uint8Array[]),
    sync: () =>
      new Promise((resolve, reject) => {
        fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
      }),
    close: async () => fs.closeSync(fd),
  };
}

function syncDirectorySync(path: string): void {
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

export const realDisk: BusDisk = {
  open: async (path) => wrapFile(fs.openSync(path, "w")),
  openSync: (path) => wrapFile(fs.openSync(path, "w")),
  renameSync: (from, to) => fs.renameSync(from, to),
  removeSync: (path) => fs.rmSync(path),
  syncDirectory: async (path) => syncDirectorySync(path),
  syncDirectorySync,
};

function wrapSocket(socket: net.Socket): BusSocket {
  socket.setNoDelay(true);
  return {
    get remoteAddress() {
      return socket.remoteAddress ?? "";
    },
    get remotePort() {
      return socket.remotePort ?? 0;
    },
    get localAddress() {
      return socket.localAddress ?? "";
    },
    get bufferedBytes() {
      return socket.writableLength;
    },
    setHandlers(handlers) {
      let failure: Error | undefined;
      socket.on("connect", () => handlers.onConnect?.());
      socket.on("data", (chunk) => handlers.onData(Buffer.from(chunk)));
      socket.on("error", (error) => {
        failure = error;
      });
      socket.on("close", () => handlers.onClose(failure));
    },
    write: (chunk) => socket.write(chunk),
    destroy: () => socket.destroy(),
  };
}

export const realNet: BusNet = {
  listen: (options, onConnection) =>
    new Promise((resolve, reject) => {
      const server = net.createServer((socket) => onConnection(wrapSocket(socket)));
      server.once("error", reject);
      server.listen(options.port, options.host, () => {
        const address = server.address() as net.AddressInfo;
        resolve({
          port: address.port,
          close: () => new Promise((done) => void server.close(() => done())),
        });
      });
    }),
  dial: (options) => wrapSocket(net.connect(options.port, options.host)),
};
