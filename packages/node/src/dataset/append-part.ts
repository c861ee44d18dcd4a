/**
 * A part of a large collection added to what has come of it. Large collections are read from an RDB
 * in parts and put together here, so that loading one needs no second copy of it in memory.
 */
import type { RdbValue } from "../rdb/values.js";
import { textOfBytes } from "../store/types/element.js";
import { HashValue } from "../store/types/hash.js";
import { ListValue } from "../store/types/list.js";
import { SetValue } from "../store/types/set.js";
import { StreamValue } from "../store/types/stream.js";
import { addNeutralEntries, completeFromNeutral } from "../store/types/stream-neutral.js";
import { ZsetValue } from "../store/types/zset.js";
import type { Value } from "../store/value.js";

/** False if the part is one of another type. The `last` part of a stream completes it. */
export function appendPart(value: Value, part: RdbValue, last: boolean): boolean {
  if (value instanceof StreamValue && part.type === "stream") {
    addNeutralEntries(value, part);
    if (last) completeFromNeutral(value, part);
    return true;
  }
  if (value instanceof HashValue && part.type === "hash") {
    const { pairs } = part;
    for (let at = 0; at < pairs.length; at += 2) {
      value.set(textOfBytes(pairs[at] ?? ""), textOfBytes(pairs[at + 1] ?? ""));
    }
    return true;
  }
  if (value instanceof SetValue && part.type === "set") {
    for (const member of part.members) value.add(textOfBytes(member));
    return true;
  }
  if (value instanceof ZsetValue && part.type === "zset") {
    for (const [at, member] of part.members.entries()) {
      value.set(textOfBytes(member), part.scores[at] ?? 0);
    }
    return true;
  }
  if (value instanceof ListValue && part.type === "list") {
    const words = part.items.map((item) => textOfBytes(item));
    value.prepare(words, 0, words.length);
    for (const word of words) value.push(word, "tail");
    return true;
  }
  return false;
}
