/** Finding the list under a key, and what popping means for the key it is popped from. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { type Element, replyElement } from "../../store/types/element.js";
import { type ListEnd, ListValue } from "../../store/types/list.js";
import type { Value } from "../../store/value.js";
import { isWord } from "../arguments.js";
import { fail } from "../errors.js";

/** The value as a list, `undefined` if there is none; WRONGTYPE if it is something else. */
export function asList(value: Value | undefined): ListValue | undefined {
  if (value === undefined || value instanceof ListValue) return value;
  return fail(replyErrors.wrongType);
}

export function readList(context: CommandContext, key: string): ListValue | undefined {
  return asList(context.db.lookupRead(key));
}

export function writeList(context: CommandContext, key: string): ListValue | undefined {
  return asList(context.db.lookupWrite(key));
}

/** LEFT or RIGHT. */
export function endArgument(text: string | undefined): ListEnd {
  if (isWord(text, "right")) return "tail";
  return isWord(text, "left") ? "head" : fail(replyErrors.syntax);
}

/** `count` elements were popped from an end of the list under `key`: what follows from it. */
export function elementsRemoved(
  context: CommandContext,
  key: string,
  list: ListValue,
  end: ListEnd,
  count: number,
): void {
  context.notify("l", end === "head" ? "lpop" : "rpop", key);
  if (list.length === 0) {
    context.db.delete(key);
    context.notify("g", "del", key);
  } else {
    list.shrink();
  }
  context.db.signalModified(key);
  context.dirty += count;
}

/** Replies with the elements from an end on, in the order of popping, and removes them. */
export function popRange(
  context: CommandContext,
  key: string,
  wanted: { readonly list: ListValue; readonly end: ListEnd; readonly count: number },
): void {
  const { list, end } = wanted;
  const count = Math.min(wanted.count, list.length);
  const position = end === "head" ? 0 : list.length - count;
  const elements: Element[] = [];
  list.range(position, count, elements);
  if (end === "tail") elements.reverse();
  context.reply.array(count);
  for (const element of elements) replyElement(context.reply, element);
  list.removeRange(position, count);
  elementsRemoved(context, key, list, end, count);
}
