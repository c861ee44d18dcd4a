// What a server holds, as far as two servers must agree on it: DEBUG DIGEST, the expiry of every
// key, and every stream with its groups, to which the digest is blind.

import type { RawClient } from "../harness/raw-client.js";
import { textOf, textsOf, type Tree, treeOf } from "../harness/reply.js";
import type { Server } from "../harness/server.js";
import { Digest, type ScoreFormat, scoreText } from "./digest.js";

export interface State {
  /** DEBUG DIGEST as the server says it. */
  readonly digest: string;
  /** The same computed here from what clients read, with scores in both forms. */
  readonly computed: Readonly<Record<ScoreFormat, string>>;
  /** By database and key, in an order of ours where servers have none. */
  readonly contents: ReadonlyMap<string, string>;
  readonly expiries: ReadonlyMap<string, string>;
  /** What the log carries of each stream. */
  readonly streams: ReadonlyMap<string, string>;
  /** All of each stream, as a snapshot carries it. */
  readonly wholeStreams: ReadonlyMap<string, string>;
  readonly keys: number;
}

const databases = 2;

export async function stateOf(server: Server): Promise<State> {
  using client = await server.client();
  const asRead = new Digest("as read");
  const seventeen = new Digest("seventeen");
  const expiries = new Map<string, string>();
  const contents = new Map<string, string>();
  const streams = new Map<string, string>();
  const wholeStreams = new Map<string, string>();
  for (let database = 0; database < databases; database++) {
    await client.call("SELECT", String(database));
    const keys = textsOf(await client.call("KEYS", "*"));
    for (const digest of [asRead, seventeen]) digest.database(database, keys.length);
    for (const key of keys) {
      const name = `${database}/${key}`;
      const expiry = textOf(await client.call("PEXPIRETIME", key));
      expiries.set(name, expiry);
      const type = textOf(await client.call("TYPE", key));
      const content = await read(client, key, type);
      for (const digest of [asRead, seventeen]) {
        digest.key(key, { type, content, hasExpiry: expiry !== "-1" });
      }
      contents.set(name, `${type} ${ordered(type, content)}`);
      if (type !== "stream") continue;
      const told = treeOf(await client.call("XINFO", "STREAM", key, "FULL", "COUNT", "0"));
      wholeStreams.set(name, JSON.stringify(without(told, ownBusiness)));
      streams.set(name, JSON.stringify(without(told, notLogged)));
    }
  }
  const digest = textOf(await client.call("DEBUG", "DIGEST"));
  const computed = { "as read": asRead.hex(), seventeen: seventeen.hex() };
  return { digest, computed, contents, expiries, streams, wholeStreams, keys: expiries.size };
}

/** When keys expire, by database and key; what went between two questions says -2. */
export async function expiriesOf(client: RawClient): Promise<Map<string, number>> {
  const expiries = new Map<string, number>();
  for (let database = 0; database < databases; database++) {
    await client.call("SELECT", String(database));
    for (const key of textsOf(await client.call("KEYS", "*"))) {
      const at = textOf(await client.call("PEXPIRETIME", key));
      expiries.set(`${database}/${key}`, Number(at));
    }
  }
  return expiries;
}

const readers: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ["GET", key],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  hash: (key) => ["HGETALL", key],
  zset: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  stream: (key) => ["XRANGE", key, "-", "+"],
};

/** All texts of the reply, one after the other: entries of streams are flattened. */
async function read(client: RawClient, key: string, type: string): Promise<string[]> {
  const words = readers[type]?.(key);
  if (words === undefined) throw new Error(`${key} has the type ${type}`);
  return flat(treeOf(await client.call(...words)));
}

function flat(tree: Tree): string[] {
  return "text" in tree ? [tree.text] : tree.items.flatMap(flat);
}

function ordered(type: string, content: readonly string[]): string {
  if (type === "set") return JSON.stringify([...content].sort());
  if (type !== "hash" && type !== "zset") return JSON.stringify(content);
  const pairs: string[] = [];
  for (let index = 0; index < content.length; index += 2) {
    const [first = "", second = ""] = [content[index], content[index + 1]];
    pairs.push(JSON.stringify([first, type === "zset" ? scoreText(second) : second]));
  }
  return pairs.sort().join();
}

/**
 * Left out: the shape of the radix tree, which is the server's own business, and the times at which
 * a consumer was last seen, which are those of whoever applies the record.
 */
const ownBusiness = new Set(["radix-tree-keys", "radix-tree-nodes", "seen-time", "active-time"]);

/**
 * What XREADGROUP changes and Redis 7.0 and 7.2 tell neither replicas nor the file: how many
 * entries a group has read (and so its lag), which we do not tell either, and consumers that came
 * to be by asking in vain, which we do. `SLOTLOG_SUBJECT=redis-server` shows the difference.
 */
const notLogged = new Set([...ownBusiness, "entries-read", "lag"]);

function without(tree: Tree, names: ReadonlySet<string>): unknown {
  if ("text" in tree) return tree.text;
  const kept: unknown[] = [];
  for (let index = 0; index < tree.items.length; index++) {
    const item = tree.items[index] as Tree;
    if ("text" in item && names.has(item.text)) index += 1;
    else if (names === ownBusiness || !isIdle(item)) kept.push(without(item, names));
  }
  return kept;
}

/** A consumer without pending entries. */
function isIdle(tree: Tree): boolean {
  if (!("items" in tree)) return false;
  const texts = tree.items.map((item) => ("text" in item ? item.text : ""));
  const isConsumer = texts.includes("seen-time");
  return isConsumer && texts[texts.indexOf("pel-count") + 1] === "0";
}

export interface Comparison {
  readonly otherIs70: boolean;
  /** The other got all of it as a snapshot, nothing from the log. */
  readonly bySnapshot: boolean;
}

/**
 * In words what differs between ours and another server; empty if nothing does. Ours prints scores
 * as 7.2 does: beside a 7.0 its digest is the one computed here.
 */
export function differences(ours: State, other: State, how: Comparison): string[] {
  const streams = how.bySnapshot
    ? mapDifferences("stream", ours.wholeStreams, other.wholeStreams)
    : mapDifferences("stream", ours.streams, other.streams);
  const found = [
    ...mapDifferences("expiry", ours.expiries, other.expiries),
    ...mapDifferences("content", ours.contents, other.contents),
    ...streams,
  ];
  const digest = how.otherIs70 ? ours.computed.seventeen : ours.digest;
  if (digest !== other.digest) found.push(`digest: ${digest} | ${other.digest}`);
  return found;
}

function mapDifferences(
  what: string,
  left: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) => {
    const [ours = "none", theirs = "none"] = [left.get(key), right.get(key)];
    if (ours === theirs) return [];
    let at = 0;
    while (ours[at] === theirs[at]) at += 1;
    const from = Math.max(0, at - 120);
    const part = (text: string): string => text.slice(from, from + 300);
    return [`${what} of ${key}:\n  ${part(ours)}\n  ${part(theirs)}`];
  });
}
