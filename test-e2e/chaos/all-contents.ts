// Strings and lists of a server, as texts: what the writers of chaos write.

import { keysOf } from "../harness/contents.js";
import { textOf, textsOf } from "../harness/reply.js";
import type { Server } from "../harness/server.js";

export type Contents = ReadonlyMap<string, string>;

export async function contentsOfAll(server: Server): Promise<Contents> {
  const contents = new Map<string, string>();
  using client = await server.client();
  // A replica shows what it has to those who say that they know; others do not mind.
  await client.call("READONLY");
  for (const key of await keysOf(client)) {
    const value = key.startsWith("list:")
      ? textsOf(await client.call("LRANGE", key, "0", "-1")).join(" ")
      : textOf(await client.call("GET", key));
    contents.set(key, value);
  }
  return contents;
}
