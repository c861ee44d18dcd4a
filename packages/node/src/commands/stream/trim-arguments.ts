/**
 * The options of XADD and XTRIM: what to trim, whether to create the stream, and where the id is.
 */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { StreamValue, TrimOptions } from "../../store/types/stream.js";
import { idText, parseOpenId, type StreamId } from "../../store/types/stream-id.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { idArgument } from "./lookup.js";

/** Without LIMIT an approximate trimming stops after a hundred nodes, within these bounds. */
const nodesTrimmedMax = 100;
const trimLimitDefault = 10_000;
const trimLimitMax = 1_000_000;

export class TrimArguments implements TrimOptions {
  maxLength?: number;
  minId?: StreamId;
  approximate = false;
  limit = 0;
  /** Index of the threshold, for the log; 0 if nothing is to be trimmed. */
  thresholdAt = 0;
  createStream = true;
  /** XADD: index of the id. */
  idAt = 0;

  get trims(): boolean {
    return this.thresholdAt > 0;
  }
}

export function trimArguments(
  context: CommandContext,
  argv: readonly string[],
  isAdd: boolean,
): TrimArguments {
  const options = new TrimArguments();
  let limitGiven = false;
  let at = 2;
  for (; at < argv.length; at++) {
    const word = argv[at] as string;
    const next = argv[at + 1];
    if (isAdd && word === "*") break;
    if (next !== undefined && (isWord(word, "maxlen") || isWord(word, "minid"))) {
      at = readThreshold(argv, at, options);
    } else if (next !== undefined && isWord(word, "limit")) {
      options.limit = longArgument(next);
      if (options.limit < 0) fail("ERR The LIMIT argument must be >= 0.");
      limitGiven = true;
      at++;
    } else if (isAdd && isWord(word, "nomkstream")) {
      options.createStream = false;
    } else if (isAdd) {
      break;
    } else {
      fail(replyErrors.syntax);
    }
  }
  options.idAt = at;
  return options.trims || options.limit !== 0 || !isAdd
    ? withLimit(context, options, { limitGiven, argv, isAdd })
    : options;
}

/** `<MAXLEN | MINID> [= | ~] threshold`, the keyword at index `at`; returns the threshold's. */
function readThreshold(argv: readonly string[], at: number, options: TrimArguments): number {
  if (options.trims) {
    fail("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
  }
  const operator = argv[at + 1];
  const hasOperator = at + 2 < argv.length && (operator === "~" || operator === "=");
  options.approximate = hasOperator && operator === "~";
  const thresholdAt = hasOperator ? at + 2 : at + 1;
  const threshold = argv[thresholdAt] as string;
  if (isWord(argv[at], "maxlen")) {
    options.maxLength = longArgument(threshold);
    if (options.maxLength < 0) fail("ERR The MAXLEN argument must be >= 0.");
  } else {
    options.minId = idArgument(threshold);
  }
  options.thresholdAt = thresholdAt;
  return thresholdAt;
}

function withLimit(
  context: CommandContext,
  options: TrimArguments,
  given: {
    readonly limitGiven: boolean;
    readonly argv: readonly string[];
    readonly isAdd: boolean;
  },
): TrimArguments {
  const { limitGiven, argv, isAdd } = given;
  // The id is read in the same pass, in front of what is checked here.
  if (isAdd && options.idAt < argv.length) checkId(argv[options.idAt] as string);
  if (options.limit !== 0 && !options.trims) {
    fail("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  }
  if (!isAdd && !options.trims) {
    fail("ERR syntax error, XTRIM must be called with a trimming strategy");
  }
  if (context.client.kind !== "normal") {
    // In the log the threshold is exact.
    options.limit = 0;
  } else if (limitGiven) {
    if (!options.approximate) {
      fail("ERR syntax error, LIMIT cannot be used without the special ~ option");
    }
  } else if (options.approximate) {
    const limit = nodesTrimmedMax * context.node.config.streamNodeMaxEntries;
    options.limit = limit <= 0 ? trimLimitDefault : Math.min(limit, trimLimitMax);
  }
  return options;
}

/** How XADD reads its id. */
export function checkId(text: string): void {
  if (text !== "*" && parseOpenId(text) === undefined) idArgument(text);
}

/** Puts what an approximate trimming came to into the words of the command. */
export function logTrimExactly(words: string[], stream: StreamValue, options: TrimArguments): void {
  const { thresholdAt } = options;
  words[thresholdAt - 1] = "=";
  words[thresholdAt] =
    options.minId === undefined ? String(stream.length) : idText(stream.edgeId(true));
}
