/**
 * Several replies as one, by the command's response policy. An error of any part is the whole
 * reply, unless the policy says otherwise. Pure.
 */
import { type Argument, ReplyDecoder, type ReplyValue, replyText } from "@slotlog/resp";
import type { Merge } from "./catalog.js";
import { isError } from "./render.js";

export function valueOf(reply: Buffer): ReplyValue {
  const decoder = new ReplyDecoder();
  decoder.push(reply);
  return decoder.next() ?? null;
}

export function integerOf(reply: Buffer): number {
  return Number(reply.toString("latin1", 1, reply.length - 2));
}

export function integerReply(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`, "latin1");
}

export function bulkOf(value: Argument): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : value;
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

export function arrayOf(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items]);
}

export function mergeReplies(merge: Merge, replies: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(0)] = replies;
  const error = replies.find(isError);
  if (merge === "one-succeeded") return replies.find((reply) => !isError(reply)) ?? first;
  if (error !== undefined) return error;
  switch (merge) {
    case "sum":
      return numbers(replies, (values) => values.reduce((sum, value) => sum + value, 0));
    case "minimum":
      return numbers(replies, (values) => Math.min(...values));
    case "maximum":
      return numbers(replies, (values) => Math.max(...values));
    case "and":
      return bits(replies, (values) => (values.every((value) => value !== 0) ? 1 : 0));
    case "or":
      return bits(replies, (values) => (values.some((value) => value !== 0) ? 1 : 0));
    case "concatenate":
      return concatenated(replies);
    default:
      return first;
  }
}

/** Integers, or lists of them place by place (WAITAOF). */
function numbers(replies: readonly Buffer[], fold: (values: number[]) => number): Buffer {
  const values = replies.map(valueOf);
  if (values.every((value) => typeof value === "number" || typeof value === "bigint")) {
    return integerReply(fold(values.map(Number)));
  }
  const lists = values.map((value) => (Array.isArray(value) ? value.map(Number) : []));
  const width = Math.min(...lists.map((list) => list.length));
  const places = Array.from({ length: width }, (_, at) => fold(lists.map((list) => list[at] ?? 0)));
  return arrayOf(places.map(integerReply));
}

function bits(replies: readonly Buffer[], fold: (values: number[]) => number): Buffer {
  return numbers(replies, fold);
}

const arrayPrefix = 0x2a;
const setPrefix = 0x7e;

/** Lists behind each other; their elements are passed on as they are. */
function concatenated(replies: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(0)] = replies;
  const prefix = first[0];
  if (prefix !== arrayPrefix && prefix !== setPrefix) return first;
  let total = 0;
  const bodies: Buffer[] = [];
  for (const reply of replies) {
    const line = reply.indexOf("\r\n", 0, "latin1");
    total += Math.max(0, Number(reply.toString("latin1", 1, line)));
    bodies.push(reply.subarray(line + 2));
  }
  return Buffer.concat([Buffer.from(`${String.fromCharCode(prefix)}${total}\r\n`), ...bodies]);
}

/** The distinct texts of all lists. */
export function union(replies: readonly Buffer[]): Buffer {
  const error = replies.find(isError);
  if (error !== undefined) return error;
  const names = new Set<string>();
  for (const reply of replies) {
    const value = valueOf(reply);
    if (!Array.isArray(value)) continue;
    for (const item of value) names.add(replyText(item) ?? "");
  }
  return arrayOf([...names].map(bulkOf));
}

/** Lists of name and number: the numbers of each name together, in the order of the first list. */
export function sumByName(replies: readonly Buffer[]): Buffer {
  const error = replies.find(isError);
  if (error !== undefined) return error;
  const sums = new Map<string, number>();
  for (const reply of replies) {
    const value = valueOf(reply);
    if (!Array.isArray(value)) continue;
    for (let i = 0; i + 1 < value.length; i += 2) {
      const name = replyText(value[i]) ?? "";
      sums.set(name, (sums.get(name) ?? 0) + Number(value[i + 1]));
    }
  }
  return arrayOf([...sums].flatMap(([name, sum]) => [bulkOf(name), integerReply(sum)]));
}

/** The elements of parts, back in the places from which they were taken. */
export function inPlaces(
  replies: readonly Buffer[],
  places: readonly (readonly number[])[],
  elementsOf: (reply: Buffer) => readonly Buffer[],
): Buffer {
  const error = replies.find(isError);
  if (error !== undefined) return error;
  const items: Buffer[] = [];
  for (const [part, reply] of replies.entries()) {
    const elements = elementsOf(reply);
    for (const [at, place] of (places[part] ?? []).entries()) {
      items[place] = elements[at] ?? Buffer.from("$-1\r\n");
    }
  }
  return arrayOf(items);
}
