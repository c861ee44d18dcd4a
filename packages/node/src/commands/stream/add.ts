/** XADD, XTRIM, XDEL, XSETID: what changes the entries of a stream, or its ids. */
import { replyErrors, wrongArgumentCount } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { StreamValue } from "../../store/types/stream.js";
import {
  addLong,
  compareIds,
  idText,
  isZeroId,
  type Long,
  maxId,
  nextId,
  parseOpenId,
  type StreamId,
  zeroId,
} from "../../store/types/stream-id.js";
import { parseInt64 } from "../../store/int64.js";
import { isWord } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { idArgument, writeStream } from "./lookup.js";
import { logTrimExactly, trimArguments } from "./trim-arguments.js";

const tooSmall = "ERR The ID specified in XADD is equal or smaller than the target stream top item";

/** The id for the new entry. */
function newId(
  context: CommandContext,
  stream: StreamValue,
  given: { readonly id: StreamId | undefined; readonly openMs: Long | undefined },
): StreamId {
  const { id, openMs } = given;
  const { lastId } = stream;
  if (compareIds(lastId, maxId) === 0) {
    fail("ERR The stream has exhausted the last possible ID, unable to add more items");
  }
  if (openMs !== undefined) {
    if (openMs !== lastId.ms) return openMs < lastId.ms ? fail(tooSmall) : { ms: openMs, seq: 0 };
    const next = nextId(lastId);
    return next === undefined || next.ms !== openMs ? fail(tooSmall) : next;
  }
  if (id === undefined) return stream.automaticId(context.now) ?? fail(tooSmall);
  return compareIds(id, lastId) <= 0 ? fail(tooSmall) : id;
}

function add(context: CommandContext, argv: readonly string[]): void {
  const options = trimArguments(context, argv, true);
  const { idAt } = options;
  const idWord = argv[idAt];
  let openMs: Long | undefined;
  let given: StreamId | undefined;
  if (idWord !== undefined && idWord !== "*") {
    openMs = parseOpenId(idWord);
    if (openMs === undefined) given = idArgument(idWord);
  }
  const words = argv.length - idAt - 1;
  if (words < 2 || words % 2 === 1) fail(wrongArgumentCount(context.command.fullName));
  if (given !== undefined && isZeroId(given)) {
    fail("ERR The ID specified in XADD must be greater than 0-0");
  }
  const key = argv[1] as string;
  const { db, reply } = context;
  const found = writeStream(context, key);
  if (found === undefined && !options.createStream) {
    reply.nil();
    return;
  }
  const stream = found ?? new StreamValue(db.collections);
  const id = newId(context, stream, { id: given, openMs });
  if (found === undefined) db.set(key, stream);
  stream.append(id, argv, idAt + 1);
  const text = idText(id);
  reply.bulk(text);
  db.signalModified(key);
  context.notify("t", "xadd", key);
  context.dirty += 1;
  if (options.trims && stream.trim(options) > 0) context.notify("t", "xtrim", key);
  if (context.node.stream.active && (given === undefined || options.approximate)) {
    const record = [...argv];
    if (options.approximate) logTrimExactly(record, stream, options);
    if (given === undefined) record[idAt] = text;
    context.propagateAs(record);
  }
  context.keyReady(key);
}

const xadd: CommandSpec = {
  name: "xadd",
  arity: -5,
  flags: ["write", "denyoom", "fast"],
  categories: ["stream"],
  keys: [
    {
      ...keyAt(1, "RW", "update"),
      notes: "UPDATE instead of INSERT because of the optional trimming feature",
    },
  ],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Adds an entry to a stream, which is created if there is none, and may trim it.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1) for the entry, O(N) for N entries that are trimmed",
    syntax:
      "key [NOMKSTREAM@6.2.0] [trim{strategy{MAXLEN | MINID@6.2.0} " +
      "[operator{'='/equal | '~'/approximately}] threshold [LIMIT count@6.2.0]}] " +
      "id-selector{'*'/auto-id | id} data{field value} ...",
    history: [
      ["6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."],
      ["7.0.0", "Added support for the `<ms>-*` explicit ID form."],
    ],
  },
  run: add,
};

const xtrim: CommandSpec = {
  name: "xtrim",
  arity: -4,
  flags: ["write"],
  categories: ["stream"],
  keys: [keyAt(1, "RW", "delete")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Removes entries from the beginning of a stream.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N) for N entries removed, at little cost where whole nodes go",
    syntax:
      "key trim{strategy{MAXLEN | MINID@6.2.0} [operator{'='/equal | '~'/approximately}] " +
      "threshold [LIMIT count@6.2.0]}",
    history: [["6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."]],
  },
  run(context, argv) {
    const options = trimArguments(context, argv, false);
    const key = argv[1] as string;
    const stream = writeStream(context, key);
    const deleted = stream?.trim(options) ?? 0;
    if (stream !== undefined && deleted > 0) {
      context.notify("t", "xtrim", key);
      if (options.approximate) {
        const record = [...argv];
        logTrimExactly(record, stream, options);
        context.propagateAs(record);
      }
      context.db.signalModified(key);
      context.dirty += deleted;
    }
    context.reply.integer(deleted);
  },
};

const xdel: CommandSpec = {
  name: "xdel",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["stream"],
  keys: [keyAt(1, "RW", "delete")],
  docs: {
    summary: "Deletes entries of a stream by their ids.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1) for each id",
    syntax: "key id ...",
  },
  run(context, argv) {
    const key = argv[1] as string;
    const stream = writeStream(context, key);
    if (stream === undefined) {
      context.reply.integer(0);
      return;
    }
    const ids = argv.slice(2).map(idArgument);
    let deleted = 0;
    let firstDeleted = false;
    for (const id of ids) {
      if (!stream.delete(id)) continue;
      if (compareIds(id, stream.firstId) === 0) firstDeleted = true;
      if (compareIds(id, stream.maxDeletedId) > 0) stream.maxDeletedId = id;
      deleted++;
    }
    if (deleted > 0) {
      if (stream.length === 0 || firstDeleted) stream.updateFirstId();
      context.db.signalModified(key);
      context.notify("t", "xdel", key);
      context.dirty += deleted;
    }
    context.reply.integer(deleted);
  },
};

interface SetIdOptions {
  entriesAdded: Long | undefined;
  maxDeletedId: StreamId;
}

function setIdOptions(argv: readonly string[], id: StreamId): SetIdOptions {
  const options: SetIdOptions = { entriesAdded: undefined, maxDeletedId: zeroId };
  for (let at = 3; at < argv.length; at += 2) {
    const value = argv[at + 1];
    if (value !== undefined && isWord(argv[at], "entriesadded")) {
      const added = parseInt64(value) ?? fail(replyErrors.notAnInteger);
      if (added < 0) fail("ERR entries_added must be positive");
      options.entriesAdded = added;
    } else if (value !== undefined && isWord(argv[at], "maxdeletedid")) {
      options.maxDeletedId = idArgument(value);
      if (compareIds(id, options.maxDeletedId) < 0) {
        fail("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      fail(replyErrors.syntax);
    }
  }
  return options;
}

const xsetid: CommandSpec = {
  name: "xsetid",
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  categories: ["stream"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Sets the last id of a stream, for tools that move data.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1)",
    syntax: "key last-id [ENTRIESADDED entries-added@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]",
    history: [["7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments."]],
  },
  run(context, argv) {
    const id = idArgument(argv[2] as string);
    const { entriesAdded, maxDeletedId } = setIdOptions(argv, id);
    const key = argv[1] as string;
    const stream = writeStream(context, key) ?? fail(replyErrors.noSuchKey);
    if (compareIds(id, stream.maxDeletedId) < 0) {
      fail("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
    }
    if (stream.length > 0) {
      if (compareIds(id, stream.lastValidId()) < 0) {
        fail("ERR The ID specified in XSETID is smaller than the target stream top item");
      }
      if (entriesAdded !== undefined && entriesAdded < stream.length) {
        fail("ERR The entries_added specified in XSETID is smaller than the target stream length");
      }
    }
    stream.lastId = id;
    if (entriesAdded !== undefined) stream.entriesAdded = addLong(entriesAdded, 0);
    if (!isZeroId(maxDeletedId)) stream.maxDeletedId = maxDeletedId;
    context.reply.ok();
    context.dirty += 1;
    context.notify("t", "xsetid", key);
  },
};

export const changing: readonly CommandSpec[] = [xadd, xtrim, xdel, xsetid];
