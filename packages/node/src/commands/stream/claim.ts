/** XCLAIM, XAUTOCLAIM: giving pending entries to another consumer. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { StreamValue } from "../../store/types/stream.js";
import {
  PendingEntry,
  type StreamConsumer,
  type StreamGroup,
} from "../../store/types/stream-group.js";
import {
  addLong,
  compareIds,
  type Long,
  parseId,
  type StreamId,
  upToNul,
  zeroId,
} from "../../store/types/stream-id.js";
import { parseInt64 } from "../../store/int64.js";
import { countArgument, isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import {
  asStream,
  failWithoutGroup,
  idArgument,
  readStreamToChange,
  seenConsumer,
  startArgument,
} from "./lookup.js";
import { logClaim, logConsumer, logGroupId } from "./propagate.js";
import { replyEntryWithId, replyId } from "./reply.js";

const firstIdAt = 5;

interface ClaimOptions {
  /** The ids are the arguments from `firstIdAt` up to, not including, this one. */
  idsEnd: number;
  /** Unix ms. */
  deliveredAt: number;
  retryCount: Long | undefined;
  force: boolean;
  justId: boolean;
  lastId: StreamId;
}

function claimOptions(argv: readonly string[], now: number): ClaimOptions {
  let at = firstIdAt;
  while (at < argv.length && parseId(argv[at] as string) !== undefined) at++;
  const options: ClaimOptions = {
    idsEnd: at,
    deliveredAt: now,
    retryCount: undefined,
    force: false,
    justId: false,
    lastId: zeroId,
  };
  for (; at < argv.length; at++) {
    const word = argv[at] as string;
    const value = argv[at + 1];
    if (isWord(word, "force")) options.force = true;
    else if (isWord(word, "justid")) options.justId = true;
    else if (value === undefined) failUnknownOption(word);
    else {
      valueOption(options, { word, value, now });
      at++;
    }
  }
  // A time that makes no sense becomes the present: the client's clock may differ from ours.
  if (options.deliveredAt < 0 || options.deliveredAt > now) options.deliveredAt = now;
  return options;
}

function valueOption(
  options: ClaimOptions,
  given: { readonly word: string; readonly value: string; readonly now: number },
): void {
  const { word, value, now } = given;
  if (isWord(word, "idle")) {
    options.deliveredAt = now - longArgument(value, "ERR Invalid IDLE option argument for XCLAIM");
  } else if (isWord(word, "time")) {
    options.deliveredAt = longArgument(value, "ERR Invalid TIME option argument for XCLAIM");
  } else if (isWord(word, "retrycount")) {
    const count = parseInt64(value) ?? fail("ERR Invalid RETRYCOUNT option argument for XCLAIM");
    options.retryCount = count < 0 ? undefined : count;
  } else if (isWord(word, "lastid")) {
    options.lastId = idArgument(value);
  } else {
    failUnknownOption(word);
  }
}

function failUnknownOption(word: string): never {
  return fail(`ERR Unrecognized XCLAIM option '${upToNul(word)}'`);
}

/** What is pending but not in the stream any more is dropped, as it was last. */
function dropDeleted(
  context: CommandContext,
  argv: readonly string[],
  dropped: { readonly group: StreamGroup; readonly entry: PendingEntry; readonly id?: string },
): void {
  const { group, entry, id } = dropped;
  logClaim(context, argv[1] as string, { group, entry }, id);
  context.dirty += 1;
  group.removePending(entry);
}

/** The entry now belongs to the consumer: tells the client, and the log. */
function claimed(
  context: CommandContext,
  argv: readonly string[],
  of: {
    readonly stream: StreamValue;
    readonly group: StreamGroup;
    readonly entry: PendingEntry;
    readonly justId: boolean;
    readonly id?: string;
  },
): void {
  const { stream, group, entry, justId, id } = of;
  if (justId) replyId(context.reply, entry);
  else replyEntryWithId(context.reply, stream, entry);
  entry.consumer.activeAt = context.now;
  logClaim(context, argv[1] as string, { group, entry }, id);
  context.dirty += 1;
}

function claim(context: CommandContext, argv: readonly string[]): void {
  const key = argv[1] as string;
  const groupName = argv[2] as string;
  const stream = readStreamToChange(context, key);
  const group = stream?.groups.get(groupName);
  if (stream === undefined || group === undefined) {
    fail(`NOGROUP No such key '${upToNul(key)}' or consumer group '${upToNul(groupName)}'`);
  }
  const idleMs = longArgument(argv[4] as string, "ERR Invalid min-idle-time argument for XCLAIM");
  const options = claimOptions(argv, context.now);
  context.propagateNothing();
  let logsLastId = compareIds(options.lastId, group.lastId) > 0;
  if (logsLastId) group.lastId = options.lastId;
  const name = argv[3] as string;
  const isNew = group.consumers.get(name) === undefined;
  const consumer = seenConsumer(context, key, { group, name });
  const { reply } = context;
  const mark = reply.deferArray();
  let count = 0;
  for (let at = firstIdAt; at < options.idsEnd; at++) {
    const id = argv[at] as string;
    const entry = claimOne(context, argv, { stream, group, consumer, options, idleMs, id });
    if (entry === "nothing") continue;
    logsLastId = false;
    if (entry === "dropped") continue;
    claimed(context, argv, { stream, group, entry, justId: options.justId, id });
    count++;
  }
  if (isNew && count === 0) logConsumer(context, key, { group: groupName, consumer: name });
  if (logsLastId) {
    logGroupId(context, key, group);
    context.dirty += 1;
  }
  reply.endArray(mark, count);
}

/** The entry, if it changed hands; or what became of it. */
function claimOne(
  context: CommandContext,
  argv: readonly string[],
  by: {
    readonly stream: StreamValue;
    readonly group: StreamGroup;
    readonly consumer: StreamConsumer;
    readonly options: ClaimOptions;
    readonly idleMs: number;
    readonly id: string;
  },
): PendingEntry | "nothing" | "dropped" {
  const { stream, group, consumer, options, idleMs } = by;
  const id = idArgument(by.id);
  let entry = group.pending.get(id);
  if (!stream.has(id)) {
    if (entry === undefined) return "nothing";
    dropDeleted(context, argv, { group, entry, id: by.id });
    return "dropped";
  }
  const { now } = context;
  if (entry === undefined) {
    if (!options.force) return "nothing";
    entry = new PendingEntry(id, consumer, now);
    group.addPending(entry);
  } else if (idleMs > 0 && now - entry.deliveredAt < idleMs) return "nothing";
  group.reassign(entry, consumer);
  entry.deliveredAt = options.deliveredAt;
  if (options.retryCount !== undefined) entry.deliveryCount = options.retryCount;
  else if (!options.justId) entry.deliveryCount = addLong(entry.deliveryCount, 1);
  return entry;
}

const xclaim: CommandSpec = {
  name: "xclaim",
  arity: -6,
  flags: ["write", "fast"],
  categories: ["stream"],
  keys: [keyAt(1, "RW", "update")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Gives pending entries with given ids to a consumer.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(log N) for N pending entries of the group",
    syntax:
      "key group:string consumer min-idle-time id ... [IDLE ms] [TIME unix-time-milliseconds] " +
      "[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
  },
  run: claim,
};

/** So many pending entries are looked at for each that is wanted. */
const attemptsPerEntry = 10;
const autoClaimCountInitial = 100;
/** LONG_MAX / max(sizeof(streamID), attempts): what Redis can count without overflow. */
const autoClaimCountMax = Math.floor(2 ** 63 / 16);

interface AutoClaimOptions {
  readonly idleMs: number;
  readonly start: StreamId;
  count: number;
  justId: boolean;
}

function autoClaimOptions(argv: readonly string[]): AutoClaimOptions {
  const idleMs = longArgument(
    argv[4] as string,
    "ERR Invalid min-idle-time argument for XAUTOCLAIM",
  );
  const start = startArgument(argv[5] as string);
  const options = { idleMs, start, count: autoClaimCountInitial, justId: false };
  for (let at = 6; at < argv.length; at++) {
    const value = argv[at + 1];
    if (value !== undefined && isWord(argv[at], "count")) {
      options.count = countArgument(value, "ERR COUNT must be > 0");
      if (options.count > autoClaimCountMax) fail("ERR COUNT must be > 0");
      at++;
    } else if (isWord(argv[at], "justid")) {
      options.justId = true;
    } else {
      fail(replyErrors.syntax);
    }
  }
  return options;
}

function autoClaim(context: CommandContext, argv: readonly string[]): void {
  const key = argv[1] as string;
  // As in Redis the key is looked up, and perhaps missed, in front of all checks.
  const value = context.db.lookupRead(key);
  const options = autoClaimOptions(argv);
  const groupName = argv[2] as string;
  const stream = asStream(value);
  if (stream !== undefined) context.db.lookupWrite(key);
  const group = stream?.groups.get(groupName);
  if (stream === undefined || group === undefined) failWithoutGroup(key, groupName);
  context.propagateNothing();
  const name = argv[3] as string;
  const isNew = group.consumers.get(name) === undefined;
  const consumer = seenConsumer(context, key, { group, name });
  const { reply, now } = context;
  const { idleMs, justId } = options;
  const { pending } = group;
  const entries: PendingEntry[] = [];
  const deleted: PendingEntry[] = [];
  let { count } = options;
  let attempts = count * attemptsPerEntry;
  let entry = pending.seek(options.start);
  for (; entry !== undefined && count > 0 && attempts > 0; attempts--) {
    if (!stream.has(entry)) {
      logClaim(context, key, { group, entry });
      context.dirty += 1;
      group.removePending(entry);
      deleted.push(entry);
      count--;
      entry = pending.seek(entry);
      continue;
    }
    if (idleMs <= 0 || now - entry.deliveredAt >= idleMs) {
      group.reassign(entry, consumer);
      entry.deliveredAt = now;
      if (!justId) entry.deliveryCount = addLong(entry.deliveryCount, 1);
      entries.push(entry);
      count--;
      consumer.activeAt = now;
      logClaim(context, key, { group, entry });
      context.dirty += 1;
    }
    entry = pending.next();
  }
  if (isNew && entries.length === 0) {
    logConsumer(context, key, { group: groupName, consumer: name });
  }
  reply.array(3);
  replyId(reply, entry ?? zeroId);
  reply.array(entries.length);
  for (const each of entries) {
    if (justId) replyId(reply, each);
    else replyEntryWithId(reply, stream, each);
  }
  reply.array(deleted.length);
  for (const each of deleted) replyId(reply, each);
}

const xautoclaim: CommandSpec = {
  name: "xautoclaim",
  arity: -6,
  flags: ["write", "fast"],
  categories: ["stream"],
  keys: [keyAt(1, "RW", "delete")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Gives entries that have been pending for a while to a consumer.",
    since: "6.2.0",
    group: "stream",
    complexity: "O(1) if COUNT is small",
    syntax: "key group:string consumer min-idle-time start:string [COUNT count] [JUSTID]",
    history: [
      [
        "7.0.0",
        "Added an element to the reply array, containing deleted entries the command cleared from " +
          "the PEL",
      ],
    ],
  },
  run: autoClaim,
};

export const claiming: readonly CommandSpec[] = [xclaim, xautoclaim];
