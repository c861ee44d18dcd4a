/** XACK, XPENDING: acknowledging what was delivered, and looking at what was not acknowledged. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { PendingList, StreamGroup } from "../../store/types/stream-group.js";
import { compareIds, type StreamId } from "../../store/types/stream-id.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import {
  endArgument,
  failWithoutGroup,
  idArgument,
  readStream,
  readStreamToChange,
  startArgument,
} from "./lookup.js";
import { replyId, replyLong } from "./reply.js";

const xack: CommandSpec = {
  name: "xack",
  arity: -4,
  flags: ["write", "fast"],
  categories: ["stream"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Acknowledges entries that a consumer of a group has processed.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1) for each id",
    syntax: "key group:string id ...",
  },
  run(context, argv) {
    const stream = readStreamToChange(context, argv[1] as string);
    const group = stream?.groups.get(argv[2] as string);
    if (group === undefined) {
      context.reply.integer(0);
      return;
    }
    const ids = argv.slice(3).map(idArgument);
    let acknowledged = 0;
    for (const id of ids) if (group.removePending(id)) acknowledged++;
    context.dirty += acknowledged;
    context.reply.integer(acknowledged);
  },
};

interface PendingWanted {
  readonly start: StreamId;
  readonly end: StreamId;
  readonly count: number;
  readonly idleMs: number;
  readonly consumer: string | undefined;
}

/** `[IDLE min-idle-time] start end count [consumer]` from argument 3 on. */
function pendingWanted(argv: readonly string[]): PendingWanted {
  let at = 3;
  let idleMs = 0;
  if (isWord(argv[3], "idle")) {
    idleMs = longArgument(argv[4] as string);
    if (argv.length < 8) fail(replyErrors.syntax);
    at += 2;
  }
  const count = Math.max(0, longArgument(argv[at + 2] as string));
  const start = startArgument(argv[at] as string);
  const end = endArgument(argv[at + 1] as string);
  return { start, end, count, idleMs, consumer: argv[at + 3] };
}

/** How many, the first and the last, and how many for each consumer that has any. */
function replySummary(context: CommandContext, group: StreamGroup): void {
  const { reply } = context;
  const { pending, consumers } = group;
  const { first, last } = pending;
  reply.array(4);
  reply.integer(pending.size);
  if (first === undefined || last === undefined) {
    reply.nil();
    reply.nil();
    reply.nilArray();
    return;
  }
  replyId(reply, first);
  replyId(reply, last);
  const mark = reply.deferArray();
  let count = 0;
  for (let each = consumers.seekFirst(); each !== undefined; each = consumers.next()) {
    if (each.pending.size === 0) continue;
    reply.array(2);
    reply.bulk(each.name);
    reply.bulkInteger(each.pending.size);
    count++;
  }
  reply.endArray(mark, count);
}

function replyPending(context: CommandContext, list: PendingList, wanted: PendingWanted): void {
  const { reply, now } = context;
  const { start, end, count, idleMs } = wanted;
  const mark = reply.deferArray();
  let replied = 0;
  let entry = count > 0 ? list.seek(start) : undefined;
  for (; entry !== undefined && compareIds(entry, end) <= 0; entry = list.next()) {
    const elapsed = now - entry.deliveredAt;
    if (idleMs !== 0 && elapsed < idleMs) continue;
    reply.array(4);
    replyId(reply, entry);
    reply.bulk(entry.consumer.name);
    reply.integer(Math.max(0, elapsed));
    replyLong(reply, entry.deliveryCount);
    replied++;
    if (replied === count) break;
  }
  reply.endArray(mark, replied);
}

const xpending: CommandSpec = {
  name: "xpending",
  arity: -3,
  flags: ["readonly"],
  categories: ["stream"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Tells what was delivered to a group and not acknowledged.",
    since: "5.0.0",
    group: "stream",
    complexity:
      "O(N) for N entries returned; with IDLE O(M) for M entries looked at; the summary O(N) for " +
      "N consumers",
    syntax:
      "key group:string [filters{[IDLE min-idle-time:integer@6.2.0] start:string end:string " +
      "count [consumer]}]",
    history: [["6.2.0", "Added the `IDLE` option and exclusive range intervals."]],
  },
  run(context, argv) {
    const { length } = argv;
    if (length !== 3 && (length < 6 || length > 9)) fail(replyErrors.syntax);
    const wanted = length === 3 ? undefined : pendingWanted(argv);
    const key = argv[1] as string;
    const name = argv[2] as string;
    const group = readStream(context, key)?.groups.get(name) ?? failWithoutGroup(key, name);
    if (wanted === undefined) {
      replySummary(context, group);
      return;
    }
    const consumer =
      wanted.consumer === undefined ? undefined : group.consumers.get(wanted.consumer);
    if (wanted.consumer !== undefined && consumer === undefined) context.reply.array(0);
    else replyPending(context, consumer?.pending ?? group.pending, wanted);
  },
};

export const acknowledging: readonly CommandSpec[] = [xack, xpending];
