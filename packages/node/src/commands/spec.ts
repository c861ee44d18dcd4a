/**
 * What a command is: one declaration, with its body, that drives dispatch, routing by slot,
 * `COMMAND` and its subcommands, ACL categories, propagation and the generated documentation.
 *
 * Terms and texts (`flags`, key specifications, `tips`) are those of Redis 7.2's `COMMAND INFO`.
 */
import type { CommandContext } from "../dispatch/context.js";

/** Flags as `COMMAND INFO` prints them. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "module"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "fast"
  | "no_auth"
  | "may_replicate"
  | "sentinel"
  | "only_sentinel"
  | "no_mandatory_keys"
  | "protected"
  | "movablekeys"
  | "no_async_loading"
  | "no_multi"
  | "allow_busy"
  | "touches_arbitrary_keys";

/** ACL categories without the `@`. */
export type AclCategory =
  | "keyspace"
  | "read"
  | "write"
  | "set"
  | "sortedset"
  | "list"
  | "hash"
  | "string"
  | "bitmap"
  | "hyperloglog"
  | "geo"
  | "stream"
  | "pubsub"
  | "admin"
  | "fast"
  | "slow"
  | "blocking"
  | "dangerous"
  | "connection"
  | "transaction"
  | "scripting";

/** Flags of a key specification as `COMMAND INFO` prints them. */
export type KeyFlag =
  | "RO"
  | "RW"
  | "OW"
  | "RM"
  | "access"
  | "update"
  | "insert"
  | "delete"
  | "not_key"
  | "incomplete"
  | "variable_flags";

export interface KeySpec {
  readonly flags: readonly KeyFlag[];
  readonly notes?: string;
  /** Where the keys begin: a fixed index, a keyword to search from `startFrom`, or unknown. */
  readonly begin:
    | { readonly type: "index"; readonly index: number }
    | { readonly type: "keyword"; readonly keyword: string; readonly startFrom: number }
    | { readonly type: "unknown" };
  /**
   * Which arguments from there are keys. `range`: `last` is relative to the first key, negative
   * from the end; `limit` n > 1 takes only the first n-th of what is left. `keynum`: a count at
   * `index`, first key at `first`, both relative to the beginning.
   */
  readonly find:
    | {
        readonly type: "range";
        readonly last: number;
        readonly step: number;
        readonly limit: number;
      }
    | {
        readonly type: "keynum";
        readonly index: number;
        readonly first: number;
        readonly step: number;
      }
    | { readonly type: "unknown" };
}

/** One key at argument `index`. */
export function keyAt(index: number, ...flags: readonly KeyFlag[]): KeySpec {
  return {
    flags,
    begin: { type: "index", index },
    find: { type: "range", last: 0, step: 1, limit: 0 },
  };
}

/**
 * Keys from argument `index` to `last` (negative: from the end, -1 is the last argument), every
 * `step`-th.
 */
export function keysFrom(
  index: number,
  range: { readonly last: number; readonly step: number },
  ...flags: readonly KeyFlag[]
): KeySpec {
  return {
    flags,
    begin: { type: "index", index },
    find: { type: "range", last: range.last, step: range.step, limit: 0 },
  };
}

/** A count at argument `index`, the keys right behind it. */
export function countedKeys(index: number, ...flags: readonly KeyFlag[]): KeySpec {
  return {
    flags,
    begin: { type: "index", index },
    find: { type: "keynum", index: 0, first: 1, step: 1 },
  };
}

export type CommandGroup =
  | "bitmap"
  | "cluster"
  | "connection"
  | "generic"
  | "geo"
  | "hash"
  | "hyperloglog"
  | "list"
  | "pubsub"
  | "scripting"
  | "server"
  | "set"
  | "sorted_set"
  | "stream"
  | "string"
  | "transactions";

export interface CommandDocs {
  /** One sentence in our own words. */
  readonly summary: string;
  readonly since: string;
  readonly group: CommandGroup;
  readonly complexity: string;
  /**
   * The arguments in the usual notation: `key value [NX | XX] [GET] [EX seconds | KEEPTTL]`,
   * lower case for values, upper case for tokens, `...` for repetition. `COMMAND DOCS` derives its
   * argument tree from it; a `name:type` gives a type other than the one the name implies.
   */
  readonly syntax: string;
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  readonly history?: readonly (readonly [version: string, change: string])[];
}

/**
 * The body. It runs to its end without waiting; it has one reply to write on `context.reply`, and
 * tells changes by `context.dirty`, which makes the command's own words the log record unless it
 * chooses others (`context.propagateAs`).
 *
 * `argv` is only valid during the call. Arguments of 64 KiB and more arrive as Buffers where the
 * declaration says `largeArguments` (a body written for `readonly Argument[]` fits this type), and
 * as strings everywhere else.
 */
export type CommandBody = (context: CommandContext, argv: readonly string[]) => void;

export interface CommandSpec {
  /** Lower case. A subcommand has its own word only (`list` in `client`). */
  readonly name: string;
  /** Argument count including the name; negative: at least that many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** Categories beyond those that the flags imply (see `registry.ts`). */
  readonly categories: readonly AclCategory[];
  readonly keys?: readonly KeySpec[];
  readonly tips?: readonly string[];
  readonly docs: CommandDocs;
  /** Positions of all keys, for commands whose key specifications cannot tell. */
  readonly findKeys?: (argv: readonly string[]) => readonly number[];
  /** How the keys are used this time, where a key specification has `variable_flags`. */
  readonly keyFlags?: (argv: readonly string[]) => readonly KeyFlag[];
  /** Its arguments are channels: the first one, or all, or all and they are patterns. */
  readonly channels?: "published" | "names" | "patterns";
  readonly subcommands?: readonly CommandSpec[];
  /** The body is written for `readonly Argument[]`: it takes large arguments as Buffers. */
  readonly largeArguments?: boolean;
  /** Runs at once although a transaction is open (EXEC, DISCARD, WATCH…). */
  readonly immediateInTransaction?: boolean;
  /** A RESP2 client may say it while subscribed. */
  readonly allowedWhileSubscribed?: boolean;
  /** Runs the queued commands of a transaction: their flags count as its own. */
  readonly runsQueue?: boolean;
  /** Refused while the disk is in trouble although it writes nothing, so that monitors notice. */
  readonly tellsDiskTrouble?: boolean;
  /** Takes constant time although Redis does not flag it `fast`: need not be timed by itself. */
  readonly constantTime?: boolean;
  /** ASKING: what it permits is for the command after it. */
  readonly keepsAsking?: boolean;
  /** Works on slots that are moving, whose keys may be here or gone (MIGRATE). */
  readonly movesKeys?: boolean;
  /** Absent only where there are subcommands. */
  readonly run?: CommandBody;
}
