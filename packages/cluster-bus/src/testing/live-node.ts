/**
 * A bus on real sockets without a database behind it: a node that owns slots and holds no keys.
 * For tests of the driver, and for standing beside real servers.
 */

import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { BusConfig } from "../core/config.js";
import { defaultBusConfig } from "../core/config.js";
import type { LocalRole } from "../core/effects.js";
import { BusDriver } from "../io/driver.js";
import { realClock, realDisk, realNet, realRandom } from "./real-ports.js";

export interface LiveNode {
  readonly driver: BusDriver;
  readonly config: BusConfig;
  readonly directory: string;
  readonly warnings: string[];
  readonly published: string[];
  readonly roles: LocalRole[];
  /** Resolves once the condition holds; asked at every change, and ten times a second. */
  until(condition: () => boolean, limitMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** A free port on loopback, as far as anybody can tell. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export async function startLiveNode(overrides: Partial<BusConfig> = {}): Promise<LiveNode> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "slotlog-bus-"));
  const config: BusConfig = {
    ...defaultBusConfig(),
    port: await freePort(),
    busPort: await freePort(),
    nodeTimeoutMs: 1000,
    ...overrides,
  };
  const warnings: string[] = [];
  const published: string[] = [];
  const roles: LocalRole[] = [];
  const ignore = (): void => {};
  const driver = new BusDriver({
    config,
    node: {
      replicationOffset: () => 0,
      replicationDataAgeMs: () => 0,
      countKeysInSlot: () => 0,
      isEmpty: () => true,
      onSlotsChanged: ignore,
      onDeleteSlotKeys: ignore,
      onRoleChanged: (role) => void roles.push(role),
      onStateChanged: ignore,
      onLeaseChanged: ignore,
      onPublish: (message) => void published.push(String.fromCharCode(...message.payload)),
      onPauseWrites: ignore,
      onUnpauseWrites: ignore,
      onFlushData: ignore,
      onFatal: (error) => void warnings.push(`fatal ${String(error)}`),
    },
    clock: realClock,
    random: realRandom,
    disk: realDisk,
    net: realNet,
    log: {
      debug: ignore,
      verbose: ignore,
      notice: ignore,
      warning: (text) => void warnings.push(text),
    },
    directory,
    confName: "nodes.conf",
    confText: undefined,
    hosts: ["127.0.0.1"],
  });
  await driver.start();
  return {
    driver,
    config,
    directory,
    warnings,
    published,
    roles,
    until: (condition, limitMs) => waitUntil(condition, limitMs, () => driver.core.nodesText()),
    stop: async () => {
      await driver.stop();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function waitUntil(
  condition: () => boolean,
  limitMs: number,
  describe: () => string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const timer = setInterval(() => {
      if (condition()) {
        clearInterval(timer);
        resolve();
      } else if (Date.now() - started > limitMs) {
        clearInterval(timer);
        reject(new Error(`still not after ${limitMs} ms:\n${describe()}`));
      }
    }, 20);
  });
}
