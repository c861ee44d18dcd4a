/**
 * The two ways in which talking RESP fails, and the reply texts that Redis shares between commands.
 * `ProtocolError` is fatal for its connection; `CommandError` is a reply and nothing more. That
 * more bytes are needed is neither: it is a value (`false` or `undefined`) of the decoders.
 */
import type { Argument } from "./byte-string.js";

/** The peer broke the protocol. `message` is what follows `-ERR Protocol error: ` in the reply. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** A command refused to run. `message` is the whole error reply without `-` and line end. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  /** The first word, which clients dispatch on: `ERR`, `WRONGTYPE`, `MOVED`. */
  get code(): string {
    return errorCode(this.message);
  }
}

/** An error reply that another server sent to us: a value, which nobody has to throw. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";

  get code(): string {
    return errorCode(this.message);
  }
}

function errorCode(text: string): string {
  const space = text.indexOf(" ");
  return space === -1 ? text : text.slice(0, space);
}

/** Reply texts that more than one command uses, as Redis 7.2 words them, without `-`. */
export const replyErrors = {
  wrongType: "WRONGTYPE Operation against a key holding the wrong kind of value",
  noSuchKey: "ERR no such key",
  syntax: "ERR syntax error",
  sameObject: "ERR source and destination objects are the same",
  indexOutOfRange: "ERR index out of range",
  notAnInteger: "ERR value is not an integer or out of range",
  outOfRange: "ERR value is out of range",
  outOfRangeMustBePositive: "ERR value is out of range, must be positive",
  notAFloat: "ERR value is not a valid float",
  minOrMaxNotAFloat: "ERR min or max is not a float",
  minOrMaxNotAStringRange: "ERR min or max not valid string range item",
  incrementOverflow: "ERR increment or decrement would overflow",
  incrementNanOrInfinity: "ERR increment would produce NaN or Infinity",
  offsetOutOfRange: "ERR offset is out of range",
  bitOffset: "ERR bit offset is not an integer or out of range",
  bitValue: "ERR bit is not an integer or out of range",
  stringTooLong: "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
  timeoutNotAnInteger: "ERR timeout is not an integer or out of range",
  timeoutNotAFloat: "ERR timeout is not a float or out of range",
  timeoutNegative: "ERR timeout is negative",
  timeoutOutOfRange: "ERR timeout is out of range",
  invalidCursor: "ERR invalid cursor",
  databaseIndexOutOfRange: "ERR DB index is out of range",
  invalidDatabaseIndex: "ERR invalid DB index",
  selectInCluster: "ERR SELECT is not allowed in cluster mode",
  noScript: "NOSCRIPT No matching script. Please use EVAL.",
  loading: "LOADING Redis is loading the dataset in memory",
  busyScript:
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  busyFunction:
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
  masterDown: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  readOnly: "READONLY You can't write against a read only replica.",
  noAuth: "NOAUTH Authentication required.",
  wrongPass: "WRONGPASS invalid username-password pair or user is disabled.",
  noProto: "NOPROTO unsupported protocol version",
  outOfMemory: "OOM command not allowed when used memory > 'maxmemory'.",
  execAbort: "EXECABORT Transaction discarded because of previous errors.",
  noReplicas: "NOREPLICAS Not enough good replicas to write.",
  busyKey: "BUSYKEY Target key name already exists.",
  crossSlot: "CROSSSLOT Keys in request don't hash to the same slot",
  tryAgain: "TRYAGAIN Multiple keys request during rehashing of slot",
  clusterDown: "CLUSTERDOWN The cluster is down",
  clusterDownReadOnly: "CLUSTERDOWN The cluster is down and only accepts read commands",
  clusterDownUnbound: "CLUSTERDOWN Hash slot not served",
  unblocked: "UNBLOCKED client unblocked via CLIENT UNBLOCK",
  unblockedByRoleChange:
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
  noKeyToMove: "ERR The specified key does not exist",
  notAllowedInTransaction: "ERR Command not allowed inside a transaction",
  invalidStreamId: "ERR Invalid stream ID specified as stream command argument",
} as const;

/** `name` is the command as its table calls it (lower case; `config|set` for a subcommand). */
export function wrongArgumentCount(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

/** `argv[0]` is a command with subcommands, `argv[1]` none of them. */
export function unknownSubcommand(argv: readonly Argument[]): string {
  const container = head(argv[0]!, quotedBytesMax).toUpperCase();
  return `ERR unknown subcommand '${head(argv[1]!, quotedBytesMax)}'. Try ${container} HELP.`;
}

/** Redis quotes at most 128 bytes of what it did not know, and its arguments as far as they fit. */
export function unknownCommand(argv: readonly Argument[]): string {
  let quoted = "";
  for (let i = 1; i < argv.length && quoted.length < quotedBytesMax; i++) {
    quoted += `'${head(argv[i]!, quotedBytesMax - quoted.length)}' `;
  }
  return `ERR unknown command '${head(argv[0]!, quotedBytesMax)}', with args beginning with: ${quoted}`;
}

const quotedBytesMax = 128;

/** What C's `%.*s` prints: at most so many bytes, and none after a NUL. */
function head(argument: Argument, bytes: number): string {
  const text =
    typeof argument === "string"
      ? argument.slice(0, bytes)
      : argument.toString("latin1", 0, Math.min(bytes, argument.length));
  const nul = text.indexOf("\0");
  return nul === -1 ? text : text.slice(0, nul);
}
