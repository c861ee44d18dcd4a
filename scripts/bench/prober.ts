// A process of `waits.ts`: asks for one key about once a millisecond and keeps how long each answer
// took, until it is told to stop.

import { setTimeout as delay } from "node:timers/promises";
import { RawClient } from "@slotlog/test-e2e/harness/raw-client";
import type { ProbeOrder } from "./waits.js";

async function probe(order: ProbeOrder, isOver: () => boolean): Promise<number[]> {
  using client = await RawClient.connect(order.port);
  const waits: number[] = [];
  while (!isOver()) {
    const number = Math.floor(Math.random() * order.keys);
    const started = performance.now();
    await client.call("GET", order.prefix + String(number).padStart(order.digits, "0"));
    waits.push(performance.now() - started);
    if (waits.length === 1) process.send?.("started");
    await delay(1);
  }
  return waits;
}

let over = false;
process.on("message", (message: ProbeOrder | "stop") => {
  if (message === "stop") over = true;
  else void probe(message, () => over).then((waits) => process.send?.(waits));
});
