/** The options of SET and GETEX: condition, GET, and at most one word about the expiry. */
import { type Argument, replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { textArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { expiryNotations, optionTime } from "../expiry.js";

/** What is said about the expiry; each excludes the others but may be repeated. */
export type ExpiryMode = "ex" | "px" | "exat" | "pxat" | "keepttl" | "persist";

export class StringOptions {
  condition: "nx" | "xx" | undefined = undefined;
  get = false;
  mode: ExpiryMode | undefined = undefined;
  /** The time behind the mode's word. */
  time = "";

  /** The absolute time asked for, if any; fails if it is none. */
  expiry(context: CommandContext): number | bigint | undefined {
    const { mode } = this;
    if (mode === undefined || mode === "keepttl" || mode === "persist") return undefined;
    return optionTime(context, this.time, expiryNotations[mode]);
  }
}

export function parseOptions(
  argv: readonly Argument[],
  from: number,
  command: "set" | "getex",
): StringOptions {
  const options = new StringOptions();
  for (let index = from; index < argv.length; index += 1) {
    const word = textArgument(argv[index] as Argument).toLowerCase();
    const isSet = command === "set";
    const modeIsFree = options.mode === undefined || options.mode === word;
    if (isSet && word === "nx" && options.condition !== "xx") options.condition = "nx";
    else if (isSet && word === "xx" && options.condition !== "nx") options.condition = "xx";
    else if (isSet && word === "get") options.get = true;
    else if (modeIsFree && word === (isSet ? "keepttl" : "persist")) options.mode = word;
    else if (modeIsFree && isTimed(word) && index + 1 < argv.length) {
      options.mode = word;
      index += 1;
      options.time = textArgument(argv[index] as Argument);
    } else fail(replyErrors.syntax);
  }
  return options;
}

function isTimed(word: string): word is "ex" | "px" | "exat" | "pxat" {
  return word === "ex" || word === "px" || word === "exat" || word === "pxat";
}
