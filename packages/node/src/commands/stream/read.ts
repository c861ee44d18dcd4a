/** XREAD, XREADGROUP. */
import type { ReplyMark } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { StreamRange, type StreamValue } from "../../store/types/stream.js";
import {
  PendingEntry,
  type StreamConsumer,
  type StreamGroup,
} from "../../store/types/stream-group.js";
import {
  addLong,
  compareIds,
  idText,
  maxId,
  nextId,
  type StreamId,
  upToNul,
  zeroId,
} from "../../store/types/stream-id.js";
import { fail } from "../errors.js";
import { type CommandSpec, type KeyFlag, type KeySpec } from "../spec.js";
import { asStream, createConsumer, idArgument, readStream } from "./lookup.js";
import { logClaim, logConsumer, logGroupId } from "./propagate.js";
import { type ReadArguments, readArguments } from "./read-arguments.js";
import { replyEntry, replyEntryWithId, replyId, replyRange } from "./reply.js";

/** `>`: what was never delivered to anybody. As in Redis, spelled out it means the same. */
const undelivered = maxId;

/** The ids behind which to read, and the groups, one for each key. */
interface Sources {
  readonly ids: StreamId[];
  readonly groups: StreamGroup[];
}

function sources(
  context: CommandContext,
  argv: readonly string[],
  options: ReadArguments,
): Sources {
  const { keysAt, keyCount, group: groupName } = options;
  const ids: StreamId[] = [];
  const groups: StreamGroup[] = [];
  for (let index = 0; index < keyCount; index++) {
    const key = argv[keysAt + index] as string;
    const id = argv[keysAt + keyCount + index] as string;
    const stream = readStream(context, key);
    if (groupName !== undefined) {
      groups.push(stream?.groups.get(groupName) ?? failUnreadable(key, groupName));
    }
    ids.push(sourceId(id, { stream, grouped: groupName !== undefined }));
  }
  return { ids, groups };
}

function failUnreadable(key: string, group: string): never {
  return fail(
    `NOGROUP No such key '${upToNul(key)}' or consumer group '${upToNul(group)}' in XREADGROUP ` +
      "with GROUP option",
  );
}

function sourceId(
  text: string,
  { stream, grouped }: { readonly stream: StreamValue | undefined; readonly grouped: boolean },
): StreamId {
  const word = upToNul(text);
  if (word === "$") {
    if (!grouped) return stream?.lastId ?? zeroId;
    fail(
      "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of " +
        "this consumer by specifying a proper ID, or use the > ID to get new messages. " +
        "The $ ID would just return an empty result set.",
    );
  }
  if (word === ">") {
    if (grouped) return undelivered;
    fail(
      "ERR The > ID can be specified only when calling XREADGROUP using the GROUP " +
        "<group> <consumer> option.",
    );
  }
  return idArgument(text);
}

/** Frames the reply: a map of keys in RESP3, an array of pairs in RESP2. */
class StreamsReply {
  readonly #context: CommandContext;
  #mark: ReplyMark = 0;
  count = 0;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  begin(key: string): void {
    const { reply } = this.#context;
    const isMap = reply.protocol === 3;
    if (this.count === 0) this.#mark = isMap ? reply.deferMap() : reply.deferArray();
    this.count++;
    if (!isMap) reply.array(2);
    reply.bulk(key);
  }

  end(): void {
    const { reply } = this.#context;
    if (reply.protocol === 3) reply.endMap(this.#mark, this.count);
    else reply.endArray(this.#mark, this.count);
  }
}

function read(context: CommandContext, argv: readonly string[]): void {
  const options = readArguments(context, argv, false);
  const { keysAt, keyCount, count } = options;
  const { ids } = sources(context, argv, options);
  const served = new StreamsReply(context);
  for (let index = 0; index < keyCount; index++) {
    const key = argv[keysAt + index] as string;
    const stream = asStream(context.db.lookupRead(key));
    const behind = ids[index] as StreamId;
    if (stream === undefined || stream.length === 0) continue;
    if (compareIds(stream.lastValidId(), behind) <= 0) continue;
    served.begin(key);
    replyRange(context.reply, stream, { start: nextId(behind) ?? zeroId, end: maxId, count });
  }
  if (served.count > 0) served.end();
  else waitOrNothing(context, argv, { options, ids });
}

function readGroup(context: CommandContext, argv: readonly string[]): void {
  context.propagateNothing();
  const options = readArguments(context, argv, true);
  const { keysAt, keyCount, consumer: name, noAck } = options;
  const { ids, groups } = sources(context, argv, options);
  const served = new StreamsReply(context);
  for (let index = 0; index < keyCount; index++) {
    const key = argv[keysAt + index] as string;
    const stream = asStream(context.db.lookupRead(key));
    const group = groups[index] as StreamGroup;
    const id = ids[index] as StreamId;
    if (stream === undefined) continue;
    const isHistory = compareIds(id, undelivered) !== 0;
    const serve = isHistory || hasUndelivered(stream, group);
    let consumer = group.consumers.get(name);
    if (serve || consumer === undefined) context.db.lookupWrite(key);
    if (consumer === undefined) {
      consumer = createConsumer(context, key, { group, name });
      if (noAck || isHistory || !serve)
        logConsumer(context, key, { group: group.name, consumer: name });
    }
    consumer.seenAt = context.now;
    if (!serve) continue;
    served.begin(key);
    if (isHistory) replyHistory(context, stream, { consumer, behind: id, count: options.count });
    else deliver(context, key, { stream, group, consumer, options });
    context.dirty += 1;
  }
  if (served.count > 0) served.end();
  else waitOrNothing(context, argv, { options, ids });
}

function hasUndelivered(stream: StreamValue, group: StreamGroup): boolean {
  return stream.length > 0 && compareIds(stream.lastValidId(), group.lastId) > 0;
}

/** Delivers what the group has not read yet, and remembers it as pending. */
function deliver(
  context: CommandContext,
  key: string,
  to: {
    readonly stream: StreamValue;
    readonly group: StreamGroup;
    readonly consumer: StreamConsumer;
    readonly options: ReadArguments;
  },
): void {
  const { stream, group, consumer, options } = to;
  const { reply, now } = context;
  const mark = reply.deferArray();
  const range = new StreamRange(stream, nextId(group.lastId) ?? zeroId, maxId);
  let entries = 0;
  let advanced = false;
  while (range.next()) {
    const found = range.entry;
    if (stream.advance(group, found)) advanced = true;
    replyEntry(reply, found);
    if (!options.noAck) {
      const entry = assign(group, consumer, { id: found, now });
      consumer.activeAt = now;
      logClaim(context, key, { group, entry });
    }
    entries++;
    if (entries === options.count) break;
  }
  if (options.noAck && advanced) logGroupId(context, key, group);
  reply.endArray(mark, entries);
}

/** XGROUP SETID may have moved the group back: then the entry may be pending already. */
function assign(
  group: StreamGroup,
  consumer: StreamConsumer,
  { id, now }: { readonly id: StreamId; readonly now: number },
): PendingEntry {
  const known = group.pending.get(id);
  if (known === undefined) {
    const entry = new PendingEntry(id, consumer, now);
    group.addPending(entry);
    return entry;
  }
  group.reassign(known, consumer);
  known.deliveredAt = now;
  known.deliveryCount = 1;
  return known;
}

/** What is pending for this consumer behind an id; deleted entries without fields. */
function replyHistory(
  context: CommandContext,
  stream: StreamValue,
  wanted: { readonly consumer: StreamConsumer; readonly behind: StreamId; readonly count: number },
): void {
  const { reply, now } = context;
  const { pending } = wanted.consumer;
  const mark = reply.deferArray();
  let entries = 0;
  let entry = pending.seek(nextId(wanted.behind) ?? zeroId);
  while (entry !== undefined && (wanted.count === 0 || entries < wanted.count)) {
    if (replyEntryWithId(reply, stream, entry)) {
      entry.deliveredAt = now;
      entry.deliveryCount = addLong(entry.deliveryCount, 1);
    } else {
      reply.array(2);
      replyId(reply, entry);
      reply.nilArray();
    }
    entries++;
    entry = pending.next();
  }
  reply.endArray(mark, entries);
}

function waitOrNothing(
  context: CommandContext,
  argv: readonly string[],
  { options, ids }: { readonly options: ReadArguments; readonly ids: readonly StreamId[] },
): void {
  const { timeoutAt, keysAt, keyCount } = options;
  if (timeoutAt === undefined || !context.mayBlock) {
    context.reply.nilArray();
    return;
  }
  // When the client is served its words are run again: `$` must mean then what it means now.
  const words = [...argv];
  for (let index = 0; index < keyCount; index++) {
    const at = keysAt + keyCount + index;
    if (upToNul(words[at] as string) === "$") words[at] = idText(ids[index] as StreamId);
  }
  const keys = words.slice(keysAt, keysAt + keyCount);
  const evenIfGone = options.group !== undefined;
  context.waitForKeys({ keys, type: "stream", timeoutAt, argv: words, evenIfGone });
}

/** Half of what follows STREAMS are keys. */
function streamKeys(startFrom: number, ...flags: readonly KeyFlag[]): readonly KeySpec[] {
  return [
    {
      flags,
      begin: { type: "keyword", keyword: "STREAMS", startFrom },
      find: { type: "range", last: -1, step: 1, limit: 2 },
    },
  ];
}

const xread: CommandSpec = {
  name: "xread",
  arity: -4,
  flags: ["readonly", "blocking"],
  categories: ["stream"],
  keys: streamKeys(1, "RO", "access"),
  docs: {
    summary: "Returns entries of several streams behind given ids, and may wait for them.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N) for N entries returned",
    syntax: "[COUNT count] [BLOCK milliseconds] STREAMS streams{key ... id ...}",
  },
  run: read,
};

const xreadgroup: CommandSpec = {
  name: "xreadgroup",
  arity: -7,
  flags: ["write", "blocking"],
  categories: ["stream"],
  keys: streamKeys(4, "RO", "access"),
  docs: {
    summary: "Returns entries that nobody of a group got yet, or those that a consumer got.",
    since: "5.0.0",
    group: "stream",
    complexity: "For each stream O(M) for M entries returned",
    syntax:
      "GROUP group-block{group consumer} [COUNT count] [BLOCK milliseconds] [NOACK] " +
      "STREAMS streams{key ... id ...}",
  },
  run: readGroup,
};

export const reading: readonly CommandSpec[] = [xread, xreadgroup];
