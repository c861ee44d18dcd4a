// Free ports for nodes. They lie below the range from which systems take ports for outgoing
// connections (Linux from 32768, macOS and Windows from 49152): a node that is restarted finds its
// port free, whatever else the machine does meanwhile.

import type { Host } from "./host.js";

const portMin = 15_000;
const portMax = 32_000;
const triesMax = 200;

/** Reserves so many ports for a node; returns them. */
export async function reservePorts(host: Host, address: string, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    try {
      await host.reserve({ host: address, ports: [port] });
      ports.push(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      if (tries >= triesMax) throw new Error(`no free port on ${address} in ${triesMax} tries`);
    }
  }
  return ports;
}
