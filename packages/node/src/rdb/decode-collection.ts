/**
 * Collections from bytes to their neutral forms, in parts when they are large. Written as
 * generators: they yield `undefined` when more bytes are needed, a value for each part but the
 * last, and return the last. They hold no more than a part, plus one packed node.
 */

import type { ByteReader } from "./byte-reader.js";
import { decodeStream } from "./decode-stream.js";
import {
  quicklistNode,
  RdbError,
  type RdbLimits,
  unsupportedTypeNames,
  valueType,
} from "./format.js";
import { intsetElements } from "./intset.js";
import { listpackElements } from "./listpack.js";
import { parseScore } from "./score.js";
import type { Bytes, RdbCollection } from "./values.js";
import { ziplistElements } from "./ziplist.js";
import { zipmapElements } from "./zipmap.js";

export type PartGenerator = Generator<RdbCollection | undefined, RdbCollection, void>;

type PlainKind = "list" | "set" | "hash" | "zset";

/** Decodes the value of a key whose type byte was `type`; strings are not collections. */
export function decodeCollection(
  reader: ByteReader,
  type: number,
  limits: RdbLimits,
): PartGenerator {
  switch (type) {
    case valueType.list:
      return decodePlain(reader, "list", limits);
    case valueType.set:
      return decodePlain(reader, "set", limits);
    case valueType.hash:
      return decodePlain(reader, "hash", limits);
    case valueType.zset:
      return decodePlainZset(reader, limits, "text");
    case valueType.zset2:
      return decodePlainZset(reader, limits, "binary");
    case valueType.listZiplist:
      return decodePacked(reader, "list", ziplistElements);
    case valueType.hashZiplist:
      return decodePacked(reader, "hash", ziplistElements);
    case valueType.zsetZiplist:
      return decodePacked(reader, "zset", ziplistElements);
    case valueType.hashZipmap:
      return decodePacked(reader, "hash", zipmapElements);
    case valueType.setIntset:
      return decodePacked(reader, "set", intsetElements);
    case valueType.hashListpack:
      return decodePacked(reader, "hash", listpackElements);
    case valueType.zsetListpack:
      return decodePacked(reader, "zset", listpackElements);
    case valueType.setListpack:
      return decodePacked(reader, "set", listpackElements);
    case valueType.listQuicklist:
      return decodeQuicklist(reader, limits, 1);
    case valueType.listQuicklist2:
      return decodeQuicklist(reader, limits, 2);
    case valueType.streamListpacks:
      return decodeStream(reader, limits, 1);
    case valueType.streamListpacks2:
      return decodeStream(reader, limits, 2);
    case valueType.streamListpacks3:
      return decodeStream(reader, limits, 3);
    default:
      throw unsupportedType(type);
  }
}

function unsupportedType(type: number): RdbError {
  const name = unsupportedTypeNames[type];
  return new RdbError(
    "unsupported",
    `value type ${type}${name === undefined ? "" : ` (${name})`} is not one we have`,
  );
}

function* decodePlain(
  reader: ByteReader,
  kind: "list" | "set" | "hash",
  limits: RdbLimits,
): PartGenerator {
  let count = reader.length();
  while (count === undefined) {
    yield undefined;
    count = reader.length();
  }
  let left = kind === "hash" ? count * 2 : count;
  const partMax = kind === "hash" ? limits.partElementsMax * 2 : limits.partElementsMax;
  let elements: Bytes[] = [];
  for (; left > 0; left--) {
    let element = reader.string();
    while (element === undefined) {
      yield undefined;
      element = reader.string();
    }
    elements.push(typeof element === "number" ? String(element) : element);
    if (elements.length >= partMax && left > 1) {
      yield collectionOf(kind, elements);
      elements = [];
    }
  }
  return collectionOf(kind, elements);
}

function* decodePlainZset(
  reader: ByteReader,
  limits: RdbLimits,
  form: "text" | "binary",
): PartGenerator {
  let left = reader.length();
  while (left === undefined) {
    yield undefined;
    left = reader.length();
  }
  let members: Bytes[] = [];
  let scores: number[] = [];
  for (; left > 0; left--) {
    let member = reader.string();
    while (member === undefined) {
      yield undefined;
      member = reader.string();
    }
    let score = binaryOrText(reader, form);
    while (score === undefined) {
      yield undefined;
      score = binaryOrText(reader, form);
    }
    if (Number.isNaN(score)) throw new RdbError("corrupt", "a score that is not a number");
    members.push(typeof member === "number" ? String(member) : member);
    scores.push(score);
    if (members.length >= limits.partElementsMax && left > 1) {
      yield { type: "zset", members, scores };
      members = [];
      scores = [];
    }
  }
  return { type: "zset", members, scores };
}

function binaryOrText(reader: ByteReader, form: "text" | "binary"): number | undefined {
  if (form === "text") return reader.textDouble();
  return reader.has(8) ? reader.double() : undefined;
}

/** A collection that is one string of packed elements. */
function* decodePacked(
  reader: ByteReader,
  kind: PlainKind,
  unpack: (bytes: Buffer, target: Bytes[]) => void,
): PartGenerator {
  let blob = reader.blob();
  while (blob === undefined) {
    yield undefined;
    blob = reader.blob();
  }
  const elements: Bytes[] = [];
  unpack(blob, elements);
  return collectionOf(kind, elements);
}

/** Version 1 has nodes that are ziplists; in version 2 each says whether it is packed. */
function* decodeQuicklist(reader: ByteReader, limits: RdbLimits, version: 1 | 2): PartGenerator {
  let nodes = reader.length();
  while (nodes === undefined) {
    yield undefined;
    nodes = reader.length();
  }
  let items: Bytes[] = [];
  for (; nodes > 0; nodes--) {
    let container: number | undefined = quicklistNode.packed;
    if (version === 2) {
      container = reader.length();
      while (container === undefined) {
        yield undefined;
        container = reader.length();
      }
    }
    if (container === quicklistNode.plain) {
      let item = reader.string();
      while (item === undefined) {
        yield undefined;
        item = reader.string();
      }
      items.push(typeof item === "number" ? String(item) : item);
    } else if (container === quicklistNode.packed) {
      let blob = reader.blob();
      while (blob === undefined) {
        yield undefined;
        blob = reader.blob();
      }
      if (version === 1) ziplistElements(blob, items);
      else listpackElements(blob, items);
    } else {
      throw new RdbError("corrupt", `a list node of kind ${container}`);
    }
    if (items.length >= limits.partElementsMax && nodes > 1) {
      yield { type: "list", items };
      items = [];
    }
  }
  return { type: "list", items };
}

function collectionOf(kind: PlainKind, elements: readonly Bytes[]): RdbCollection {
  switch (kind) {
    case "list":
      return { type: "list", items: elements };
    case "set":
      return { type: "set", members: elements };
    case "hash":
      if (elements.length % 2 !== 0) throw new RdbError("corrupt", "a hash with a field too many");
      return { type: "hash", pairs: elements };
    case "zset":
      return zsetOf(elements);
    default:
      return kind satisfies never;
  }
}

/** Member, score, member, score, … with the scores as text. */
function zsetOf(elements: readonly Bytes[]): RdbCollection {
  if (elements.length % 2 !== 0) throw new RdbError("corrupt", "a member without a score");
  const members: Bytes[] = [];
  const scores: number[] = [];
  for (let index = 0; index < elements.length; index += 2) {
    members.push(elements[index] as Bytes);
    scores.push(parseScore((elements[index + 1] as Bytes).toString()));
  }
  return { type: "zset", members, scores };
}

/** How many elements (pairs for a hash, entries for a stream) a form or part holds. */
export function elementCount(value: RdbCollection): number {
  switch (value.type) {
    case "list":
      return value.items.length;
    case "set":
    case "zset":
      return value.members.length;
    case "hash":
      return value.pairs.length / 2;
    case "stream":
      return value.entries.length;
    default:
      return value satisfies never;
  }
}
