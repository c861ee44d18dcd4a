/**
 * The commands of one node, compiled from their declarations into the form that dispatch reads:
 * flag bits, key positions, counters. Built per node, because counters and renames are a node's.
 */
import type { LatencyHistogram } from "../observe/latency-histogram.js";
import type { AclCategory, CommandBody, CommandFlag, CommandSpec, KeySpec } from "./spec.js";

/** One bit per command flag, in the order in which `COMMAND INFO` prints them. */
export const flagNames: readonly CommandFlag[] = [
  "write",
  "readonly",
  "denyoom",
  "module",
  "admin",
  "pubsub",
  "noscript",
  "blocking",
  "loading",
  "stale",
  "skip_monitor",
  "skip_slowlog",
  "asking",
  "fast",
  "no_auth",
  "may_replicate",
  "sentinel",
  "only_sentinel",
  "no_mandatory_keys",
  "protected",
  "movablekeys",
  "no_async_loading",
  "no_multi",
  "allow_busy",
  "touches_arbitrary_keys",
];

function bit(flag: CommandFlag): number {
  return 1 << flagNames.indexOf(flag);
}

export const Flag = {
  write: bit("write"),
  readonly: bit("readonly"),
  denyoom: bit("denyoom"),
  admin: bit("admin"),
  pubsub: bit("pubsub"),
  noscript: bit("noscript"),
  blocking: bit("blocking"),
  loading: bit("loading"),
  stale: bit("stale"),
  skipMonitor: bit("skip_monitor"),
  skipSlowlog: bit("skip_slowlog"),
  asking: bit("asking"),
  fast: bit("fast"),
  noAuth: bit("no_auth"),
  mayReplicate: bit("may_replicate"),
  noMandatoryKeys: bit("no_mandatory_keys"),
  protected: bit("protected"),
  movablekeys: bit("movablekeys"),
  noAsyncLoading: bit("no_async_loading"),
  noMulti: bit("no_multi"),
  allowBusy: bit("allow_busy"),
  touchesArbitraryKeys: bit("touches_arbitrary_keys"),
} as const;

/** ACL categories in the order in which Redis lists them. */
export const categoryNames: readonly AclCategory[] = [
  "keyspace",
  "read",
  "write",
  "set",
  "sortedset",
  "list",
  "hash",
  "string",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
  "scripting",
];

/** Names longer than this are no command's; they are not cached. */
const nameLengthMax = 32;
/** Spellings in other cases that are remembered; beyond it they cost a `toLowerCase` each. */
const spellingsMax = 4096;

/** The categories that Redis derives from flags (`setImplicitACLCategories`), with the declared. */
function categoriesOf(spec: CommandSpec): readonly AclCategory[] {
  const all = new Set<AclCategory>(spec.categories);
  const has = (flag: CommandFlag): boolean => spec.flags.includes(flag);
  if (has("write")) all.add("write");
  if (has("readonly") && !all.has("scripting")) all.add("read");
  if (has("admin")) all.add("admin").add("dangerous");
  if (has("pubsub")) all.add("pubsub");
  if (has("fast")) all.add("fast");
  if (has("blocking")) all.add("blocking");
  if (!all.has("fast")) all.add("slow");
  return categoryNames.filter((name) => all.has(name));
}

interface LegacyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/**
 * The single range of keys that old clients are told: what all index ranges cover together,
 * as Redis joins them (`populateCommandLegacyRangeSpec`): only ranges of step 1 that follow each
 * other are joined, everything else is left to `movablekeys`.
 */
function legacyRange(specs: readonly KeySpec[]): LegacyRange {
  const none = { first: 0, last: 0, step: 0 };
  const ranges = specs.flatMap((spec) =>
    spec.begin.type === "index" && spec.find.type === "range"
      ? [{ first: spec.begin.index, last: spec.find.last, step: spec.find.step }]
      : [],
  );
  const absolute = ranges.map(({ first, last, step }) => ({
    first,
    last: last >= 0 ? first + last : last,
    step,
  }));
  const only = absolute[0];
  if (only === undefined) return none;
  if (specs.length === 1) return only;
  let first = Number.MAX_SAFE_INTEGER;
  let last = 0;
  let previousLast = 0;
  for (const range of absolute) {
    if (range.step !== 1 && range.first !== range.last) continue;
    if (previousLast !== 0 && previousLast !== range.first - 1) continue;
    previousLast = range.last;
    first = Math.min(first, range.first);
    // Negative counts from the end, so it reaches farther than any position.
    last = last < 0 || range.last < 0 ? Math.min(last, range.last) : Math.max(last, range.last);
  }
  return first === Number.MAX_SAFE_INTEGER ? none : { first, last, step: 1 };
}

/** True if the key positions follow from the legacy range alone. */
function isMovable(spec: CommandSpec, specs: readonly KeySpec[]): boolean {
  if (spec.findKeys !== undefined) return true;
  return specs.some(
    (key) =>
      key.begin.type !== "index" || key.find.type !== "range" || key.flags.includes("incomplete"),
  );
}

export class Command {
  readonly spec: CommandSpec;
  /** `get`, or `client|list` for a subcommand. */
  readonly fullName: string;
  readonly parent: Command | undefined;
  readonly arity: number;
  readonly flags: number;
  readonly categories: readonly AclCategory[];
  readonly keySpecs: readonly KeySpec[];
  /** True if key positions need `findKeyPositions`' slow path. */
  readonly movable: boolean;
  /** 0 if there is none. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  readonly largeArguments: boolean;
  readonly immediateInTransaction: boolean;
  readonly allowedWhileSubscribed: boolean;
  readonly runsQueue: boolean;
  readonly tellsDiskTrouble: boolean;
  readonly keepsAsking: boolean;
  /** Takes constant time: timed together with its neighbours of the same name. */
  readonly timedInRuns: boolean;
  readonly body: CommandBody | undefined;
  readonly subcommands: ReadonlyMap<string, Command> | undefined;

  calls = 0;
  microseconds = 0;
  rejectedCalls = 0;
  failedCalls = 0;
  /** How long its calls took; made by the first one that is tracked. */
  latency: LatencyHistogram | undefined = undefined;

  constructor(spec: CommandSpec, parent: Command | undefined) {
    this.spec = spec;
    this.parent = parent;
    this.fullName = parent === undefined ? spec.name : `${parent.fullName}|${spec.name}`;
    this.arity = spec.arity;
    this.keySpecs = spec.keys ?? [];
    const movable = isMovable(spec, this.keySpecs);
    this.movable = movable;
    let flags = spec.flags.reduce((bits, flag) => bits | bit(flag), 0);
    if (movable) flags |= Flag.movablekeys;
    this.flags = flags;
    this.categories = categoriesOf(spec);
    const range = legacyRange(this.keySpecs);
    this.firstKey = range.first;
    this.lastKey = range.last;
    this.keyStep = range.step;
    this.largeArguments = spec.largeArguments === true;
    this.immediateInTransaction = spec.immediateInTransaction === true;
    this.allowedWhileSubscribed = spec.allowedWhileSubscribed === true;
    this.runsQueue = spec.runsQueue === true;
    this.timedInRuns = (flags & Flag.fast) !== 0 || spec.constantTime === true;
    this.tellsDiskTrouble = spec.tellsDiskTrouble === true;
    this.keepsAsking = spec.keepsAsking === true;
    this.body = spec.run;
    this.subcommands =
      spec.subcommands === undefined
        ? undefined
        : new Map(spec.subcommands.map((sub) => [sub.name, new Command(sub, this)]));
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  resetCounters(): void {
    this.calls = 0;
    this.microseconds = 0;
    this.rejectedCalls = 0;
    this.failedCalls = 0;
    this.latency?.reset();
  }
}

export class CommandRegistry {
  readonly #byName = new Map<string, Command>();
  /** Every spelling seen so far, so that the usual look-up is one hit on an interned string. */
  readonly #bySpelling = new Map<string, Command>();

  /** All commands as declared: access rules name them so, whatever they are renamed to. */
  readonly declared: readonly Command[];

  constructor(families: readonly (readonly CommandSpec[])[]) {
    for (const spec of families.flat()) {
      if (this.#byName.has(spec.name)) throw new Error(`command ${spec.name} is declared twice`);
      if (spec.run === undefined && spec.subcommands === undefined) {
        throw new Error(`command ${spec.name} has no body`);
      }
      this.#byName.set(spec.name, new Command(spec, undefined));
    }
    this.declared = [...this.#byName.values()];
    for (const [name, command] of this.#byName) {
      this.#bySpelling.set(name, command);
      this.#bySpelling.set(name.toUpperCase(), command);
    }
  }

  /** Applies a `rename-command` directive; an empty name removes the command. */
  rename(from: string, to: string): boolean {
    const command = this.#byName.get(from.toLowerCase());
    if (command === undefined) return false;
    this.#byName.delete(from.toLowerCase());
    for (const [spelling, known] of this.#bySpelling) {
      if (known === command) this.#bySpelling.delete(spelling);
    }
    if (to !== "") {
      this.#byName.set(to.toLowerCase(), command);
      this.#bySpelling.set(to.toLowerCase(), command);
    }
    return true;
  }

  /** The command of that name in any case, subcommands aside. */
  find(name: string): Command | undefined {
    const command = this.#bySpelling.get(name);
    if (command !== undefined || name.length > nameLengthMax) return command;
    const known = this.#byName.get(name.toLowerCase());
    if (known !== undefined && this.#bySpelling.size < spellingsMax) {
      this.#bySpelling.set(name, known);
    }
    return known;
  }

  /**
   * The command or subcommand that these words name; its container if the subcommand is unknown.
   */
  resolve(argv: readonly string[]): Command | undefined {
    const command = this.find(argv[0] ?? "");
    if (command?.subcommands === undefined || argv.length < 2) return command;
    return command.subcommands.get((argv[1] ?? "").toLowerCase()) ?? command;
  }

  /** By full name, `client|list` included. */
  findFull(fullName: string): Command | undefined {
    const [name = "", sub, ...more] = fullName.toLowerCase().split("|");
    if (more.length > 0) return undefined;
    const command = this.#byName.get(name);
    return sub === undefined ? command : command?.subcommands?.get(sub);
  }

  /** The strings that `find` finds by their pointer. */
  spellings(): Iterable<string> {
    return this.#bySpelling.keys();
  }

  get size(): number {
    return this.#byName.size;
  }

  all(): Iterable<Command> {
    return this.#byName.values();
  }

  resetCounters(): void {
    for (const command of this.#byName.values()) {
      command.resetCounters();
      for (const sub of command.subcommands?.values() ?? []) sub.resetCounters();
    }
  }
}
