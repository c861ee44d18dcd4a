/**
 * DEBUG DIGEST: a fingerprint of the data set that does not depend on the order of keys or members,
 * bit by bit that of Redis 7.2, so that a primary and a replica of different make can be compared.
 */
import { createHash } from "node:crypto";
import { formatDouble } from "@slotlog/resp";
import { streamIdParts } from "../../../rdb/stream-id.js";
import type { Bytes, RdbValue } from "../../../rdb/values.js";
import { toNeutral } from "../../../rdb/values-bridge.js";
import type { Database } from "../../../store/database.js";
import { stringBytes, isStringValue, type Value } from "../../../store/value.js";

const digestBytes = 20;

/** Redis' numbers of the types (`OBJ_STRING`…). */
const typeNumbers = { string: 0, list: 1, set: 2, zset: 3, hash: 4, stream: 6 } as const;

function sha1(data: Bytes): Buffer {
  const hash = createHash("sha1");
  return (typeof data === "string" ? hash.update(data, "latin1") : hash.update(data)).digest();
}

/** Order does not matter to what is joined in this way. */
function xorIn(digest: Buffer, data: Bytes): void {
  const hash = sha1(data);
  for (let i = 0; i < digestBytes; i += 1) {
    digest[i] = (digest[i] as number) ^ (hash[i] as number);
  }
}

/** Order matters to what is joined in this way. */
function mixIn(digest: Buffer, data: Bytes): void {
  xorIn(digest, data);
  sha1(digest).copy(digest);
}

function networkInteger(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function pairDigest(first: Bytes, second: Bytes): Buffer {
  const digest = Buffer.alloc(digestBytes);
  mixIn(digest, first);
  mixIn(digest, second);
  return digest;
}

function mixCollection(digest: Buffer, value: RdbValue): void {
  switch (value.type) {
    case "string":
      return;
    case "list":
      for (const item of value.items) mixIn(digest, item);
      return;
    case "set":
      for (const member of value.members) xorIn(digest, member);
      return;
    case "hash":
      for (let i = 0; i < value.pairs.length; i += 2) {
        xorIn(digest, pairDigest(value.pairs[i] as Bytes, value.pairs[i + 1] as Bytes));
      }
      return;
    case "zset":
      for (const [i, member] of value.members.entries()) {
        xorIn(digest, pairDigest(member, formatDouble(value.scores[i] as number)));
      }
      return;
    case "stream":
      for (const { id, fields } of value.entries) {
        const { milliseconds, sequence } = streamIdParts(id);
        mixIn(digest, `${milliseconds}.${sequence}`);
        for (const word of fields) mixIn(digest, word);
      }
  }
}

function mixValue(digest: Buffer, value: Value, hasExpiry: boolean): void {
  if (isStringValue(value)) {
    mixIn(digest, networkInteger(typeNumbers.string));
    mixIn(digest, stringBytes(value));
  } else {
    mixIn(digest, networkInteger(typeNumbers[value.type]));
    mixCollection(digest, toNeutral(value));
  }
  if (hasExpiry) xorIn(digest, "!!expire!!");
}

/** What DEBUG DIGEST-VALUE prints for a key: zeros if it does not exist. */
export function valueDigest(database: Database, key: string): string {
  const digest = Buffer.alloc(digestBytes);
  const value = database.peek(key);
  if (value !== undefined) mixValue(digest, value, database.expireAt(key) !== -1);
  return digest.toString("hex");
}

/** What DEBUG DIGEST prints. */
export function datasetDigest(databases: readonly Database[]): string {
  const whole = Buffer.alloc(digestBytes);
  for (const database of databases) {
    if (database.size === 0) continue;
    mixIn(whole, networkInteger(database.index));
    database.forEach((key, value, expireAt) => {
      const digest = Buffer.alloc(digestBytes);
      mixIn(digest, key);
      mixValue(digest, value, expireAt !== Number.POSITIVE_INFINITY);
      xorIn(whole, digest);
    });
  }
  return whole.toString("hex");
}
