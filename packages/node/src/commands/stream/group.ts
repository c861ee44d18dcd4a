/** XGROUP: consumer groups and their consumers. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { parseInt64 } from "../../store/int64.js";
import { StreamValue } from "../../store/types/stream.js";
import { entriesReadUnknown, StreamGroup } from "../../store/types/stream-group.js";
import {
  type Long,
  parseRangeId,
  type StreamId,
  upToNul,
  zeroId,
} from "../../store/types/stream-id.js";
import { isWord } from "../arguments.js";
import { fail } from "../errors.js";
import { helpSubcommand, subcommandError } from "../help.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { createConsumer, failUnknownGroup, idArgument, writeStream } from "./lookup.js";

interface GroupOptions {
  makeStream: boolean;
  entriesRead: Long;
}

/** `[MKSTREAM] [ENTRIESREAD n]` from argument 5 on; SETID has only the second. */
function groupOptions(argv: readonly string[], isCreate: boolean): GroupOptions {
  const options: GroupOptions = { makeStream: false, entriesRead: entriesReadUnknown };
  for (let at = 5; at < argv.length; at++) {
    const value = argv[at + 1];
    if (isCreate && isWord(argv[at], "mkstream")) {
      options.makeStream = true;
    } else if (value !== undefined && isWord(argv[at], "entriesread")) {
      options.entriesRead = parseInt64(value) ?? fail(replyErrors.notAnInteger);
      if (options.entriesRead < entriesReadUnknown) {
        fail("ERR value for ENTRIESREAD must be positive or -1");
      }
      at++;
    } else {
      fail(subcommandError(argv));
    }
  }
  return options;
}

function failWithoutKey(): never {
  return fail(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to " +
      "use the MKSTREAM option to create an empty stream automatically.",
  );
}

function existingStream(context: CommandContext, key: string): StreamValue {
  return writeStream(context, key) ?? failWithoutKey();
}

function existingGroup(context: CommandContext, argv: readonly string[]): StreamGroup {
  const key = argv[2] as string;
  const name = argv[3] as string;
  return existingStream(context, key).groups.get(name) ?? failUnknownGroup(key, name);
}

const create: CommandSpec = {
  name: "create",
  arity: -5,
  flags: ["write", "denyoom"],
  categories: ["stream"],
  keys: [keyAt(2, "RW", "insert")],
  docs: {
    summary: "Creates a consumer group.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1)",
    syntax: "key group:string id-selector{id | '$'/new-id} [MKSTREAM] [ENTRIESREAD entries-read]",
    history: [["7.0.0", "Added the `entries_read` named argument."]],
  },
  run(context, argv) {
    const options = groupOptions(argv, true);
    const key = argv[2] as string;
    const name = argv[3] as string;
    const found = writeStream(context, key);
    if (found === undefined && !options.makeStream) failWithoutKey();
    if (argv.length > 8) fail(subcommandError(argv));
    const word = argv[4] as string;
    const lastId = upToNul(word) === "$" ? (found?.lastId ?? zeroId) : idArgument(word);
    const stream = found ?? new StreamValue(context.db.collections);
    if (found === undefined) {
      context.db.set(key, stream);
      context.db.signalModified(key);
    }
    if (stream.groups.get(name) !== undefined) {
      fail("BUSYGROUP Consumer Group name already exists");
    }
    stream.groups.insert(new StreamGroup(name, lastId, options.entriesRead));
    context.reply.ok();
    context.dirty += 1;
    context.notify("t", "xgroup-create", key);
  },
};

/** Unlike CREATE it takes `-` and `+`. */
function setIdArgument(word: string, stream: StreamValue): StreamId {
  if (upToNul(word) === "$") return stream.lastId;
  return parseRangeId(word, 0) ?? fail(replyErrors.invalidStreamId);
}

const setId: CommandSpec = {
  name: "setid",
  arity: -5,
  flags: ["write"],
  categories: ["stream"],
  keys: [keyAt(2, "RW", "update")],
  docs: {
    summary: "Sets what a consumer group was delivered last.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1)",
    syntax: "key group:string id-selector{id | '$'/new-id} [ENTRIESREAD entriesread(entries-read)]",
    history: [["7.0.0", "Added the optional `entries_read` argument."]],
  },
  run(context, argv) {
    const { entriesRead } = groupOptions(argv, false);
    const key = argv[2] as string;
    const group = existingGroup(context, argv);
    const stream = existingStream(context, key);
    if (argv.length !== 5 && argv.length !== 7) fail(subcommandError(argv));
    group.lastId = setIdArgument(argv[4] as string, stream);
    group.entriesRead = entriesRead;
    context.reply.ok();
    context.dirty += 1;
    context.notify("t", "xgroup-setid", key);
  },
};

const destroy: CommandSpec = {
  name: "destroy",
  arity: 4,
  flags: ["write"],
  categories: ["stream"],
  keys: [keyAt(2, "RW", "delete")],
  docs: {
    summary: "Deletes a consumer group with all that is pending in it.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N) for N pending entries",
    syntax: "key group:string",
  },
  run(context, argv) {
    const key = argv[2] as string;
    const removed = existingStream(context, key).groups.remove(argv[3] as string);
    if (removed === undefined) {
      context.reply.integer(0);
      return;
    }
    context.reply.integer(1);
    context.dirty += 1;
    context.notify("t", "xgroup-destroy", key);
    // Those who wait for the group are told that it is gone.
    context.keyReady(key);
  },
};

const newConsumer: CommandSpec = {
  name: "createconsumer",
  arity: 5,
  flags: ["write", "denyoom"],
  categories: ["stream"],
  keys: [keyAt(2, "RW", "insert")],
  docs: {
    summary: "Creates a consumer of a group.",
    since: "6.2.0",
    group: "stream",
    complexity: "O(1)",
    syntax: "key group:string consumer",
  },
  run(context, argv) {
    const group = existingGroup(context, argv);
    const name = argv[4] as string;
    if (group.consumers.get(name) !== undefined) {
      context.reply.integer(0);
      return;
    }
    createConsumer(context, argv[2] as string, { group, name });
    context.reply.integer(1);
  },
};

const deleteConsumer: CommandSpec = {
  name: "delconsumer",
  arity: 5,
  flags: ["write"],
  categories: ["stream"],
  keys: [keyAt(2, "RW", "delete")],
  docs: {
    summary: "Deletes a consumer of a group with all that is pending for it.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N) for N pending entries",
    syntax: "key group:string consumer",
  },
  run(context, argv) {
    const group = existingGroup(context, argv);
    const consumer = group.consumers.get(argv[4] as string);
    if (consumer === undefined) {
      context.reply.integer(0);
      return;
    }
    const pending = consumer.pending.size;
    group.deleteConsumer(consumer);
    context.dirty += 1;
    context.notify("t", "xgroup-delconsumer", argv[2] as string);
    context.reply.integer(pending);
  },
};

const help = helpSubcommand({
  container: "xgroup",
  since: "5.0.0",
  group: "stream",
  categories: ["stream"],
  lines: [
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
  ],
});

export const xgroup: CommandSpec = {
  name: "xgroup",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Manages consumer groups, by subcommand.",
    since: "5.0.0",
    group: "stream",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands: [create, setId, destroy, newConsumer, deleteConsumer, help],
};
