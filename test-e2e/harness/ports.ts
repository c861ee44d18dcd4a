// Free ports for servers of tests. A cluster node needs two: its own and that plus 10,000 for the
// bus.

import { createServer } from "node:net";

const busPortOffset = 10_000;

/**
 * Below the range from which systems take ports for outgoing connections (32,768 and up on Linux),
 * bus port included: a port that was free a moment ago must not become some client's.
 */
const lowest = 11_000;
const highest = 22_700;

/** `count` ports that nobody listens on now, each with its bus port. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempts = 0; found.size < count; attempts++) {
    if (attempts > 1000) throw new Error("no free ports found");
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (found.has(port)) continue;
    if ((await isFree(port)) && (await isFree(port + busPortOffset))) found.add(port);
  }
  return [...found];
}

/** The first of `count` ports in a row, for what takes a row of them. */
export async function freePortRow(count: number): Promise<number> {
  for (let attempts = 0; attempts < 1000; attempts++) {
    const first = lowest + Math.floor(Math.random() * (highest - count - lowest));
    const row = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(
      row.flatMap((port) => [isFree(port), isFree(port + busPortOffset)]),
    );
    if (free.every((each) => each)) return first;
  }
  throw new Error("no free ports in a row found");
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error("no free port found");
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
