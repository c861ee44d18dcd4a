// A process of `waits.ts`: asks for one key about once a millisecond and keeps how long each answer
// took, until it is told to stop; and how much of that was spent ready to run, but without a core.

import { setTimeout as delay } from "node:timers/promises";
import { RawClient } from "@slotlog/test-e2e/harness/raw-client";
import { queuedMs } from "./machine.js";
import type { Probe, ProbeOrder } from "./waits.js";

async function probe(order: ProbeOrder, isOver: () => boolean): Promise<Probe[]> {
  using client = await RawClient.connect(order.port);
  const waits: Probe[] = [];
  const queued = (): number => queuedMs(process.pid) + queuedMs(order.pid);
  while (!isOver()) {
    const number = Math.floor(Math.random() * order.keys);
    const queuedBefore = queued();
    const started = performance.now();
    await client.call("GET", order.prefix + String(number).padStart(order.digits, "0"));
    const ms = performance.now() - started;
    waits.push({ ms, queuedMs: queued() - queuedBefore });
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
