// Fills a server with keys, and meanwhile measures how long it makes others wait.

import { setTimeout as delay } from "node:timers/promises";
import { RawClient } from "@slotlog/test-e2e/harness/raw-client";
import { quantile } from "./machine.js";

const batchKeys = 1_000;
/** Batches under way: enough to keep the server busy, few enough to bound what it buffers. */
const batchesAhead = 4;

export interface Filling {
  readonly port: number;
  readonly from: number;
  readonly to: number;
  readonly key: (index: number) => string;
  readonly valueBytes: number;
}

export async function fill({ port, from, to, key, valueBytes }: Filling): Promise<void> {
  const client = await RawClient.connect(port);
  const value = "v".repeat(valueBytes);
  const pending: Promise<Buffer>[] = [];
  try {
    for (let next = from; next < to; next += batchKeys) {
      const end = Math.min(to, next + batchKeys);
      client.write(batchOf(next, end, key, value));
      // Errors must not pass for keys, and one reply per batch is enough to see them.
      for (let index = next; index < end; index++) pending.push(client.read());
      if (pending.length > batchesAhead * batchKeys) await drain(pending, batchKeys);
    }
    await drain(pending, pending.length);
  } finally {
    client.close();
  }
}

function batchOf(from: number, to: number, key: Filling["key"], value: string): Buffer {
  let text = "";
  for (let index = from; index < to; index++) {
    const name = key(index);
    text += `*3\r\n$3\r\nSET\r\n$${name.length}\r\n${name}\r\n$${value.length}\r\n${value}\r\n`;
  }
  return Buffer.from(text, "latin1");
}

async function drain(pending: Promise<Buffer>[], count: number): Promise<void> {
  for (const reply of await Promise.all(pending.splice(0, count))) {
    if (reply[0] !== 0x2b) throw new Error(`SET answered ${reply.toString("latin1").trim()}`);
  }
}

export interface Waits {
  readonly count: number;
  readonly p50Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
}

/** Asks for one key again and again on a connection of its own, as long as `work` takes. */
export async function waitsDuring(
  port: number,
  key: () => string,
  work: () => Promise<void>,
): Promise<Waits> {
  const client = await RawClient.connect(port);
  const waits: number[] = [];
  let done = false;
  const probe = async (): Promise<void> => {
    while (!done) {
      const started = performance.now();
      await client.call("GET", key());
      waits.push(performance.now() - started);
      await delay(1);
    }
  };
  const probing = probe();
  try {
    await work();
  } finally {
    done = true;
    await probing;
    client.close();
  }
  return {
    count: waits.length,
    p50Ms: quantile(waits, 0.5),
    p999Ms: quantile(waits, 0.999),
    longestMs: waits.reduce((most, each) => Math.max(most, each), 0),
  };
}
