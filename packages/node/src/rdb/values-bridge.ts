/**
 * Between the store's values and RDB's neutral forms. Each collection class converts itself; this
 * is the one place that knows them all.
 */
import type { CollectionEnvironment } from "../store/types/environment.js";
import { HashValue } from "../store/types/hash.js";
import { ListValue } from "../store/types/list.js";
import { SetValue } from "../store/types/set.js";
import { StreamValue } from "../store/types/stream.js";
import { ZsetValue } from "../store/types/zset.js";
import { encodeString, type Value } from "../store/value.js";
import type { RdbValue } from "./values.js";

/** The neutral form of a value; shares no memory that the value may change. */
export function toNeutral(value: Value): RdbValue {
  if (typeof value === "string") return { type: "string", value };
  if (typeof value === "number") {
    // RDB's integer encodings end at 32 bits; wider ones are text, as Redis writes them.
    return { type: "string", value: value === (value | 0) ? value : String(value) };
  }
  if (value.type === "string") return { type: "string", value: Buffer.from(value.view()) };
  return value.toNeutral();
}

/** The value that a key holds after loading. */
export function fromNeutral(neutral: RdbValue, collections: CollectionEnvironment): Value {
  switch (neutral.type) {
    case "string":
      return typeof neutral.value === "number" ? neutral.value : encodeString(neutral.value);
    case "hash":
      return HashValue.fromNeutral(neutral, collections);
    case "list":
      return ListValue.fromNeutral(neutral, collections);
    case "set":
      return SetValue.fromNeutral(neutral, collections);
    case "zset":
      return ZsetValue.fromNeutral(neutral, collections);
    case "stream":
      return StreamValue.fromNeutral(neutral, collections);
    default:
      return neutral satisfies never;
  }
}
