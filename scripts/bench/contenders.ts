// The two servers that are measured, started with the same directives.

import { realRedis, Server, subject } from "@slotlog/test-e2e/harness/server";

export const contenderNames = ["redis-server", "slotlog"] as const;

export type ContenderName = (typeof contenderNames)[number];

export function startContender(
  name: ContenderName,
  directives: readonly string[],
  heapMb: number,
  directory?: string,
): Promise<Server> {
  // As `slotlog up` and the container image start a node.
  const flags = [`--max-old-space-size=${heapMb}`, "--max-semi-space-size=2"];
  const program = name === "slotlog" ? subject({ nodeFlags: flags }) : realRedis();
  return Server.start({
    program,
    directives: ["--save", "", ...directives],
    ...(directory === undefined ? {} : { directory }),
  });
}
