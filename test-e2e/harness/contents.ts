// Everything a server holds, as a map: for comparing data sets.

import type { RawClient } from "./raw-client.js";
import { textOf, textsOf, treeOf } from "./reply.js";
import type { Server } from "./server.js";

/** Keys and values of database 0, strings only; the last of equal keys would win. */
export async function contentsOf(server: Server): Promise<Map<string, string>> {
  using client = await server.client();
  const contents = new Map<string, string>();
  for (const key of await keysOf(client)) {
    contents.set(key, textOf(await client.call("GET", key)));
  }
  return contents;
}

/** All keys, as SCAN gives them. */
export async function keysOf(client: RawClient): Promise<string[]> {
  const keys: string[] = [];
  let cursor = "0";
  do {
    const page = await scan(client, cursor);
    cursor = page.cursor;
    keys.push(...page.keys);
  } while (cursor !== "0");
  return keys;
}

async function scan(
  client: RawClient,
  cursor: string,
): Promise<{ cursor: string; keys: readonly string[] }> {
  const reply = await client.call("SCAN", cursor, "COUNT", "1000");
  const tree = treeOf(reply);
  const [next, keys] = "items" in tree ? tree.items : [];
  if (next === undefined || !("text" in next) || keys === undefined || !("items" in keys)) {
    throw new Error(`SCAN answered ${textsOf(reply).join()}`);
  }
  return { cursor: next.text, keys: keys.items.map((key) => ("text" in key ? key.text : "")) };
}

/** A few of the differences between two data sets, in words. */
export function differences(
  left: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
): string[] {
  const found: string[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    if (left.get(key) === right.get(key)) continue;
    found.push(`${key}: ${left.get(key)?.slice(0, 60)} | ${right.get(key)?.slice(0, 60)}`);
  }
  return found;
}
