/** Slots of keys as they come from clients, and what to tell who mixes them. Pure. */
import { keySlot, keySlotOfBytes } from "@slotlog/cluster-bus";
import type { Argument } from "@slotlog/resp";
import { explainedKeysMax } from "./limits.js";

export function slotOf(key: Argument): number {
  return typeof key === "string" ? keySlot(key) : keySlotOfBytes(key);
}

/** The slot of all keys; `undefined` if they have different ones. */
export function commonSlot(
  argv: readonly Argument[],
  indexes: readonly number[],
): number | undefined {
  let slot = -1;
  for (const index of indexes) {
    const own = slotOf(argv[index] ?? "");
    if (slot === -1) slot = own;
    else if (slot !== own) return undefined;
  }
  return slot;
}

const shownBytes = 64;

/**
 * Redis' own words, then which keys lie where and what would bring them together. One line, since
 * it is an error reply.
 */
export function explainCrossSlot(argv: readonly Argument[], indexes: readonly number[]): string {
  const bySlot = new Map<number, string[]>();
  for (const index of indexes) {
    const key = argv[index] ?? "";
    const slot = slotOf(key);
    const names = bySlot.get(slot) ?? [];
    names.push(shown(key));
    bySlot.set(slot, names);
  }
  const where = [...bySlot]
    .slice(0, explainedKeysMax)
    .map(([slot, keys]) => `slot ${slot} has ${listed(keys)}`);
  const more = bySlot.size - where.length;
  const names = [...new Set([...bySlot.values()].flat())];
  return (
    "CROSSSLOT Keys in request don't hash to the same slot: " +
    `${where.join(", ")}${more > 0 ? `, and ${more} more slots` : ""}. ${advice(names)}`
  );
}

/** A hash tag that the keys could share: what their names have in common already, if anything. */
function advice(keys: readonly string[]): string {
  const tags = new Set(keys.map((key) => /\{([^}]+)\}/.exec(key)?.[1]));
  const tagged = [...tags].filter((tag) => tag !== undefined);
  if (tagged.length > 1) {
    return `Their hash tags differ (${listed(tagged.map((tag) => `{${tag}}`))}): use one for all.`;
  }
  const tag = tagged[0] ?? (commonPrefix(keys.map(untagged)) || "tag");
  const renamed = keys.slice(0, 2).map((key) => withTag(key, tag));
  return `With a hash tag they share a slot: name them ${renamed.join(", ")}${keys.length > 2 ? ", ..." : ""}`;
}

function untagged(key: string): string {
  return key.replace(/[{}]/g, "");
}

function withTag(key: string, tag: string): string {
  if (key.includes(`{${tag}}`)) return key;
  const plain = untagged(key);
  return plain.startsWith(tag) ? `{${tag}}${plain.slice(tag.length)}` : `{${tag}}:${plain}`;
}

/** Up to the last separator that all share: `user:1:name` and `user:1:mail` share `user:1`. */
function commonPrefix(keys: readonly string[]): string {
  const [first = "", ...others] = keys;
  const ends = [...first.matchAll(/[:.\-_/|]/g)].map(({ index }) => index).reverse();
  const end = ends.find((at) => others.every((key) => key.startsWith(first.slice(0, at + 1))));
  return end === undefined ? "" : first.slice(0, end);
}

function listed(names: readonly string[]): string {
  const few = names.slice(0, explainedKeysMax);
  const more = names.length - few.length;
  return `${few.join(" and ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** As it can stand in a line that people read. */
function shown(key: Argument): string {
  const text = typeof key === "string" ? key : key.toString("latin1", 0, shownBytes + 1);
  const printable = text.slice(0, shownBytes).replace(/[^\x20-\x7e]/g, (byte) => {
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return text.length > shownBytes ? `${printable}...` : printable;
}
