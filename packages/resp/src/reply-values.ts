/**
 * What replies are on the receiving side: plain JavaScript values where one fits, small classes
 * where RESP3 says more than JavaScript has a type for.
 */
import type { ReplyError } from "./errors.js";

export type ReplyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | ReplyError
  | VerbatimString
  | ReplyMap
  | ReplySet
  | ReplyPush
  | ReplyValue[];

export class ReplyMap {
  readonly entries: readonly (readonly [ReplyValue, ReplyValue])[];

  constructor(entries: readonly (readonly [ReplyValue, ReplyValue])[]) {
    this.entries = entries;
  }

  /** The value of a key that is a string, whether it came as a string or as bytes. */
  get(key: string): ReplyValue | undefined {
    return this.entries.find(([name]) => replyText(name) === key)?.[1];
  }
}

export class ReplySet {
  readonly members: readonly ReplyValue[];

  constructor(members: readonly ReplyValue[]) {
    this.members = members;
  }
}

/** A message nobody asked for: it answers no command. */
export class ReplyPush {
  readonly items: readonly ReplyValue[];

  constructor(items: readonly ReplyValue[]) {
    this.items = items;
  }
}

/** Text that says what it is: `txt` or `mkd`. */
export class VerbatimString {
  readonly format: string;
  readonly text: string | Buffer;

  constructor(format: string, text: string | Buffer) {
    this.format = format;
    this.text = text;
  }
}

/** The text of any kind of string reply, `undefined` of everything else. */
export function replyText(value: ReplyValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (Buffer.isBuffer(value)) return value.toString("latin1");
  return value instanceof VerbatimString ? replyText(value.text) : undefined;
}
