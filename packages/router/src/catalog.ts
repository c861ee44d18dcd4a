/**
 * What the router knows of each command: how many arguments, which of them are keys, and where it
 * goes. All of it follows from the declarations (flags, key specifications, tips), which are handed
 * in; a node's registry has the form that is asked for here. What only a router can decide (that
 * SCAN walks all primaries, that MONITOR makes no sense) is in `overrides` and nowhere else.
 */
import type { Argument } from "@slotlog/resp";
import { refusedFlag } from "./learned-commands.js";

export interface KeySpecification {
  readonly flags: readonly string[];
}

/** One command or subcommand, as a node declares it. */
export interface DeclaredCommand {
  readonly fullName: string;
  readonly arity: number;
  readonly spec: {
    readonly name: string;
    readonly flags: readonly string[];
    readonly tips?: readonly string[];
    readonly channels?: "published" | "names" | "patterns";
  };
  readonly keySpecs: readonly KeySpecification[];
  /** True if the positions of the keys depend on the arguments. */
  readonly movable: boolean;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  readonly subcommands: ReadonlyMap<string, DeclaredCommand> | undefined;
}

export interface CommandSource {
  /** Commands, without subcommands. */
  readonly commands: Iterable<DeclaredCommand>;
  /** Positions of all keys, `undefined` if the words do not fit the declaration. */
  keyIndexes(command: DeclaredCommand, argv: readonly string[]): readonly number[] | undefined;
}

/** Where a command goes. */
export type Plan =
  /** To the node of its keys' slot; without keys to any primary. */
  | "keys"
  /** To the nodes of its keys, in parts. */
  | "split"
  /** To every primary. */
  | "shards"
  /** To every node. */
  | "nodes"
  /** To any primary: it has no keys. */
  | "any"
  /** Answered here. */
  | "local"
  /** On a connection of its own, since the node answers when it likes. */
  | "blocking"
  | "subscribe"
  | "transaction"
  /** It cannot mean anything through a router. */
  | "refused";

/** How the replies of several nodes become one. */
export type Merge =
  | "first"
  | "all-succeeded"
  | "one-succeeded"
  | "sum"
  | "minimum"
  | "maximum"
  | "and"
  | "or"
  | "concatenate"
  | "special";

export class RoutedCommand {
  readonly fullName: string;
  readonly declared: DeclaredCommand;
  readonly arity: number;
  readonly plan: Plan;
  readonly merge: Merge;
  readonly isWrite: boolean;
  /** It may be sent again although its first fate is unknown: it changes nothing. */
  readonly isReadOnly: boolean;
  /** The only key is this argument: the usual case. 0 if it is not that simple. */
  readonly onlyKey: number;
  readonly subcommands: ReadonlyMap<string, RoutedCommand> | undefined;
  /** Where its numbers are kept; see `statistics.ts`. */
  readonly index: number;

  constructor(declared: DeclaredCommand, index: () => number) {
    this.declared = declared;
    this.fullName = declared.fullName;
    this.arity = declared.arity;
    this.index = index();
    const flags = new Set(declared.spec.flags);
    this.isWrite = flags.has("write") || flags.has("may_replicate");
    this.isReadOnly = flags.has("readonly") && !flags.has("write");
    const { firstKey, lastKey } = declared;
    const isFixed = !declared.movable && firstKey > 0;
    this.onlyKey = isFixed && lastKey === firstKey ? firstKey : 0;
    this.plan = planOf(declared, flags);
    this.merge = mergeOf(declared);
    const { subcommands } = declared;
    this.subcommands =
      subcommands === undefined
        ? undefined
        : new Map([...subcommands].map(([name, sub]) => [name, new RoutedCommand(sub, index)]));
  }

  get hasKeys(): boolean {
    return this.declared.movable || this.declared.firstKey > 0;
  }
}

function tip(declared: DeclaredCommand, name: string): string | undefined {
  const found = declared.spec.tips?.find((each) => each.startsWith(`${name}:`));
  return found?.slice(name.length + 1);
}

function planOf(declared: DeclaredCommand, flags: ReadonlySet<string>): Plan {
  const override = overrides[declared.fullName] ?? overrides[containerOf(declared.fullName)];
  if (override !== undefined) return override.plan;
  if (flags.has(refusedFlag)) return "refused";
  if (flags.has("blocking")) return "blocking";
  if (flags.has("pubsub") && declared.spec.name.endsWith("subscribe")) return "subscribe";
  switch (tip(declared, "request_policy")) {
    case "multi_shard":
      return "split";
    case "all_shards":
      return "shards";
    case "all_nodes":
      return "nodes";
    default:
      return declared.movable || declared.firstKey > 0 ? "keys" : "any";
  }
}

function mergeOf(declared: DeclaredCommand): Merge {
  const override = overrides[declared.fullName]?.merge;
  if (override !== undefined) return override;
  switch (tip(declared, "response_policy")) {
    case "all_succeeded":
      return "all-succeeded";
    case "one_succeeded":
      return "one-succeeded";
    case "agg_sum":
      return "sum";
    case "agg_min":
      return "minimum";
    case "agg_max":
      return "maximum";
    case "agg_logical_and":
      return "and";
    case "agg_logical_or":
      return "or";
    case "special":
      return "special";
    default:
      return "concatenate";
  }
}

function containerOf(fullName: string): string {
  const bar = fullName.indexOf("|");
  return bar === -1 ? "" : `${fullName.slice(0, bar)}|*`;
}

interface Override {
  readonly plan: Plan;
  readonly merge?: Merge;
}

const local: Override = { plan: "local" };
const any: Override = { plan: "any" };
const refused: Override = { plan: "refused" };
const transaction: Override = { plan: "transaction" };
const everyShard: Override = { plan: "shards", merge: "all-succeeded" };

/** What the declarations cannot know. `container|*` is every subcommand not named itself. */
const overrides: Readonly<Record<string, Override>> = {
  auth: local,
  hello: local,
  quit: local,
  reset: local,
  select: local,
  ping: any,
  role: local,
  swapdb: local,
  readonly: local,
  readwrite: local,
  command: any,
  "command|*": any,
  "command|count": any,
  "client|*": local,
  "client|pause": everyShard,
  "client|unpause": everyShard,
  client: local,
  cluster: local,
  "cluster|*": local,
  multi: transaction,
  exec: transaction,
  discard: transaction,
  watch: transaction,
  unwatch: transaction,
  scan: { plan: "shards", merge: "special" },
  mset: { plan: "split", merge: "all-succeeded" },
  mget: { plan: "split", merge: "concatenate" },
  "pubsub|channels": { plan: "nodes", merge: "special" },
  "pubsub|numpat": { plan: "nodes", merge: "sum" },
  "pubsub|numsub": { plan: "nodes", merge: "special" },
  "pubsub|shardchannels": { plan: "nodes", merge: "special" },
  "pubsub|shardnumsub": { plan: "nodes", merge: "special" },
  "function|list": any,
  "function|dump": any,
  "function|stats": any,
  "memory|doctor": any,
  "memory|malloc-stats": any,
  "memory|stats": any,
  "latency|*": any,
  "latency|reset": { plan: "nodes", merge: "sum" },
  info: { plan: "shards", merge: "special" },
  randomkey: { plan: "shards", merge: "special" },
  // Each primary waits on its own, so the node's own connection must have seen the writes.
  wait: { plan: "shards", merge: "minimum" },
  waitaof: { plan: "shards", merge: "minimum" },
  bgsave: everyShard,
  save: everyShard,
  bgrewriteaof: everyShard,
  lastsave: { plan: "shards", merge: "minimum" },
  asking: refused,
  monitor: refused,
  sync: refused,
  psync: refused,
  replconf: refused,
  replicaof: refused,
  slaveof: refused,
  failover: refused,
  shutdown: refused,
  "restore-asking": refused,
  pfselftest: any,
  debug: refused,
  "debug|*": refused,
};

/** Spellings in other cases that are remembered; beyond it they cost a `toLowerCase` each. */
const spellingsMax = 4096;
const nameLengthMax = 64;

export class Catalog {
  readonly #source: CommandSource;
  readonly #byName = new Map<string, RoutedCommand>();
  readonly #bySpelling = new Map<string, RoutedCommand>();
  #count = 0;

  constructor(source: CommandSource) {
    this.#source = source;
    for (const declared of source.commands) this.#add(declared);
  }

  /** Commands that the cluster has and the declarations do not: modules, other versions. */
  learn(commands: Iterable<DeclaredCommand>): number {
    let learned = 0;
    for (const declared of commands) {
      if (this.#byName.has(declared.fullName)) continue;
      this.#add(declared);
      learned++;
    }
    return learned;
  }

  /** All commands and subcommands have an `index` below it. */
  get size(): number {
    return this.#count;
  }

  *all(): Iterable<RoutedCommand> {
    for (const command of this.#byName.values()) {
      yield command;
      yield* command.subcommands?.values() ?? [];
    }
  }

  find(name: string): RoutedCommand | undefined {
    const command = this.#bySpelling.get(name);
    if (command !== undefined || name.length > nameLengthMax) return command;
    const known = this.#byName.get(name.toLowerCase());
    if (known !== undefined && this.#bySpelling.size < spellingsMax) {
      this.#bySpelling.set(name, known);
    }
    return known;
  }

  /** The command or subcommand that these words name; its container if that one is unknown. */
  resolve(argv: readonly Argument[]): RoutedCommand | undefined {
    const command = typeof argv[0] === "string" ? this.find(argv[0]) : undefined;
    const sub = argv[1];
    if (command?.subcommands === undefined || typeof sub !== "string") return command;
    return command.subcommands.get(sub.toLowerCase()) ?? command;
  }

  /** Positions of the keys; `undefined` if the words do not fit. */
  keyIndexes(command: RoutedCommand, argv: readonly Argument[]): readonly number[] | undefined {
    const { firstKey, lastKey, keyStep, movable } = command.declared;
    if (movable) {
      // Only words are looked at: a key of 64 KiB is no keyword and no count.
      const words = argv.map((each) => (typeof each === "string" ? each : ""));
      return this.#source.keyIndexes(command.declared, words);
    }
    if (firstKey === 0) return [];
    const last = lastKey < 0 ? argv.length + lastKey : lastKey;
    if (last >= argv.length) return undefined;
    const found: number[] = [];
    for (let i = firstKey; i <= last; i += Math.max(1, keyStep)) found.push(i);
    return found;
  }

  spellings(): Iterable<string> {
    return this.#bySpelling.keys();
  }

  #add(declared: DeclaredCommand): void {
    const command = new RoutedCommand(declared, () => this.#count++);
    this.#byName.set(declared.fullName, command);
    this.#bySpelling.set(declared.fullName, command);
    this.#bySpelling.set(declared.fullName.toUpperCase(), command);
  }
}
