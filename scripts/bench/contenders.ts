// The two servers that are measured, started with the same directives.

import { realRedis, Server, subject } from "@slotlog/test-e2e/harness/server";

export const contenderNames = ["redis-server", "slotlog"] as const;

export type ContenderName = (typeof contenderNames)[number];

export function startContender(
  name: ContenderName,
  directives: readonly string[],
  heapMb: number,
): Promise<Server> {
  const flags = [`--max-old-space-size=${heapMb}`];
  const program = name === "slotlog" ? subject({ nodeFlags: flags }) : realRedis();
  return Server.start({ program, directives: ["--save", "", ...directives] });
}
