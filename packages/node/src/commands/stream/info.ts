/** XINFO: what a stream, its groups and their consumers are like inside. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { radixNodeCount } from "../../store/types/radix-nodes.js";
import { StreamRange, type StreamValue } from "../../store/types/stream.js";
import {
  entriesReadUnknown,
  type PendingEntry,
  type PendingList,
  type StreamConsumer,
  type StreamGroup,
} from "../../store/types/stream-group.js";
import { maxId, zeroId } from "../../store/types/stream-id.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { helpSubcommand, subcommandError } from "../help.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { failUnknownGroup, readStream } from "./lookup.js";
import { replyEntry, replyId, replyLong, replyRange } from "./reply.js";

const fullCountInitial = 10;

function existingStream(context: CommandContext, key: string): StreamValue {
  return readStream(context, key) ?? fail(replyErrors.noSuchKey);
}

/** `undefined` without FULL; 0 is no limit. */
function fullCount(argv: readonly string[]): number | undefined {
  if (argv.length === 3) return undefined;
  if ((argv.length !== 4 && argv.length !== 6) || !isWord(argv[3], "full")) {
    fail(subcommandError(argv));
  }
  if (argv.length === 4) return fullCountInitial;
  if (!isWord(argv[4], "count")) fail(subcommandError(argv));
  const count = longArgument(argv[5] as string);
  return count < 0 ? fullCountInitial : count;
}

function replyHead({ reply }: CommandContext, stream: StreamValue): void {
  reply.bulk("length");
  reply.integer(stream.length);
  reply.bulk("radix-tree-keys");
  reply.integer(stream.nodes.size);
  reply.bulk("radix-tree-nodes");
  reply.integer(radixNodeCount(stream.nodes));
  reply.bulk("last-generated-id");
  replyId(reply, stream.lastId);
  reply.bulk("max-deleted-entry-id");
  replyId(reply, stream.maxDeletedId);
  reply.bulk("entries-added");
  replyLong(reply, stream.entriesAdded);
  reply.bulk("recorded-first-entry-id");
  replyId(reply, stream.firstId);
}

function replyEdge({ reply }: CommandContext, stream: StreamValue, reverse: boolean): void {
  const range = new StreamRange(stream, zeroId, maxId, { reverse });
  if (range.next()) replyEntry(reply, range.entry);
  else reply.nil();
}

/** The counters in which all forms tell how far a group is. */
function replyProgress(context: CommandContext, stream: StreamValue, group: StreamGroup): void {
  const { reply } = context;
  reply.bulk("last-delivered-id");
  replyId(reply, group.lastId);
  reply.bulk("entries-read");
  if (group.entriesRead === entriesReadUnknown) reply.nil();
  else replyLong(reply, group.entriesRead);
  reply.bulk("lag");
  const lag = stream.lagOf(group);
  if (lag === undefined) reply.nil();
  else replyLong(reply, lag);
}

function replyFull(context: CommandContext, stream: StreamValue, count: number): void {
  const { reply } = context;
  const { groups } = stream;
  reply.map(9);
  replyHead(context, stream);
  reply.bulk("entries");
  replyRange(reply, stream, { start: zeroId, end: maxId, count });
  reply.bulk("groups");
  reply.array(groups.size);
  for (let group = groups.seekFirst(); group !== undefined; group = groups.next()) {
    const { pending, consumers } = group;
    reply.map(7);
    reply.bulk("name");
    reply.bulk(group.name);
    replyProgress(context, stream, group);
    reply.bulk("pel-count");
    reply.integer(pending.size);
    reply.bulk("pending");
    replyPending(context, pending, { count, withConsumer: true });
    reply.bulk("consumers");
    reply.array(consumers.size);
    for (let each = consumers.seekFirst(); each !== undefined; each = consumers.next()) {
      replyFullConsumer(context, each, count);
    }
  }
}

function replyFullConsumer(context: CommandContext, consumer: StreamConsumer, count: number): void {
  const { reply } = context;
  reply.map(5);
  reply.bulk("name");
  reply.bulk(consumer.name);
  reply.bulk("seen-time");
  reply.integer(consumer.seenAt);
  reply.bulk("active-time");
  reply.integer(consumer.activeAt);
  reply.bulk("pel-count");
  reply.integer(consumer.pending.size);
  reply.bulk("pending");
  replyPending(context, consumer.pending, { count, withConsumer: false });
}

function replyPending(
  { reply }: CommandContext,
  list: PendingList,
  { count, withConsumer }: { readonly count: number; readonly withConsumer: boolean },
): void {
  const shown = count === 0 ? list.size : Math.min(count, list.size);
  reply.array(shown);
  let entry = list.seekFirst();
  for (let left = shown; left > 0; left--) {
    const { deliveredAt, deliveryCount, consumer } = entry as PendingEntry;
    reply.array(withConsumer ? 4 : 3);
    replyId(reply, entry as PendingEntry);
    if (withConsumer) reply.bulk(consumer.name);
    reply.integer(deliveredAt);
    replyLong(reply, deliveryCount);
    entry = list.next();
  }
}

const stream: CommandSpec = {
  name: "stream",
  arity: -3,
  flags: ["readonly"],
  categories: ["stream"],
  keys: [keyAt(2, "RO", "access")],
  docs: {
    summary: "Tells the counters of a stream, or all of it.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N) for N nodes of the stream",
    syntax: "key [full-block{FULL [COUNT count]}]",
    history: [
      ["6.0.0", "Added the `FULL` modifier."],
      [
        "7.0.0",
        "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, " +
          "`entries-read` and `lag` fields",
      ],
      ["7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."],
    ],
  },
  run(context, argv) {
    const value = existingStream(context, argv[2] as string);
    const count = fullCount(argv);
    if (count !== undefined) {
      replyFull(context, value, count);
      return;
    }
    const { reply } = context;
    reply.map(10);
    replyHead(context, value);
    reply.bulk("groups");
    reply.integer(value.groups.size);
    reply.bulk("first-entry");
    replyEdge(context, value, false);
    reply.bulk("last-entry");
    replyEdge(context, value, true);
  },
};

const groups: CommandSpec = {
  name: "groups",
  arity: 3,
  flags: ["readonly"],
  categories: ["stream"],
  keys: [keyAt(2, "RO", "access")],
  docs: {
    summary: "Lists the consumer groups of a stream.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N) for N groups",
    syntax: "key",
    history: [["7.0.0", "Added the `entries-read` and `lag` fields"]],
  },
  run(context, argv) {
    const value = existingStream(context, argv[2] as string);
    const { reply } = context;
    const { groups: list } = value;
    reply.array(list.size);
    for (let group = list.seekFirst(); group !== undefined; group = list.next()) {
      reply.map(6);
      reply.bulk("name");
      reply.bulk(group.name);
      reply.bulk("consumers");
      reply.integer(group.consumers.size);
      reply.bulk("pending");
      reply.integer(group.pending.size);
      replyProgress(context, value, group);
    }
  },
};

const consumers: CommandSpec = {
  name: "consumers",
  arity: 4,
  flags: ["readonly"],
  categories: ["stream"],
  keys: [keyAt(2, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Lists the consumers of a group.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N) for N consumers",
    syntax: "key group:string",
    history: [["7.2.0", "Added the `inactive` field."]],
  },
  run(context, argv) {
    const key = argv[2] as string;
    const name = argv[3] as string;
    const group = existingStream(context, key).groups.get(name) ?? failUnknownGroup(key, name);
    const { reply, now } = context;
    const { consumers: list } = group;
    reply.array(list.size);
    for (let each = list.seekFirst(); each !== undefined; each = list.next()) {
      reply.map(4);
      reply.bulk("name");
      reply.bulk(each.name);
      reply.bulk("pending");
      reply.integer(each.pending.size);
      reply.bulk("idle");
      reply.integer(Math.max(0, now - each.seenAt));
      reply.bulk("inactive");
      reply.integer(each.activeAt === -1 ? -1 : now - each.activeAt);
    }
  },
};

const help = helpSubcommand({
  container: "xinfo",
  since: "5.0.0",
  group: "stream",
  categories: ["stream"],
  lines: [
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
  ],
});

export const xinfo: CommandSpec = {
  name: "xinfo",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Tells about streams and their groups, by subcommand.",
    since: "5.0.0",
    group: "stream",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands: [stream, groups, consumers, help],
};
