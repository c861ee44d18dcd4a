/** One set of permissions of a user: commands, keys and channels that go together. */
import type { KeyPosition } from "../commands/key-positions.js";
import { type Command, Flag } from "../commands/registry.js";
import { globMatch } from "../store/glob.js";
import { type CommandCatalogue, CommandRules } from "./command-rules.js";
import { hasBlanks, type RuleError } from "./rule-error.js";

interface KeyPattern {
  readonly pattern: string;
  readonly read: boolean;
  readonly write: boolean;
}

/** Why a command is denied. `rank` is what decides which of several reasons is told. */
export interface Denial {
  readonly reason: "command" | "key" | "channel";
  /** The argument that is denied; 0 for the command itself. */
  readonly index: number;
}

const allow = true;

function formatKeyPattern({ pattern, read, write }: KeyPattern): string {
  if (read && write) return `~${pattern}`;
  return `${read ? "%R~" : "%W~"}${pattern}`;
}

/** What a command line touches, found once for all selectors of a user. */
export interface Touched {
  readonly keys: readonly KeyPosition[];
  readonly channels: readonly number[];
}

export class Selector {
  commands: CommandRules;
  #allKeys = false;
  #keys: readonly KeyPattern[] = [];
  allChannels: boolean;
  channels: readonly string[] = [];

  constructor(catalogue: CommandCatalogue, allChannels: boolean) {
    this.commands = new CommandRules(catalogue);
    this.allChannels = allChannels;
  }

  copy(catalogue: CommandCatalogue): Selector {
    const copy = new Selector(catalogue, this.allChannels);
    copy.commands = this.commands.copy();
    copy.#allKeys = this.#allKeys;
    copy.#keys = this.#keys;
    copy.channels = this.channels;
    return copy;
  }

  get unrestricted(): boolean {
    return this.commands.allowsAll && this.#allKeys && this.allChannels;
  }

  /** One rule; a refused one changes nothing. */
  apply(rule: string): RuleError | undefined {
    switch (rule.toLowerCase()) {
      case "allkeys":
      case "~*":
        this.#setAllKeys(allow);
        return undefined;
      case "resetkeys":
        this.#setAllKeys(!allow);
        return undefined;
      case "allchannels":
      case "&*":
        this.#setAllChannels(allow);
        return undefined;
      case "resetchannels":
        this.#setAllChannels(!allow);
        return undefined;
      case "allcommands":
      case "+@all":
        this.commands.setAll(allow);
        return undefined;
      case "nocommands":
      case "-@all":
        this.commands.setAll(!allow);
        return undefined;
      default:
        return this.#applyPattern(rule);
    }
  }

  #applyPattern(rule: string): RuleError | undefined {
    switch (rule.charAt(0)) {
      case "~":
        return this.#addKeys(rule.slice(1), { read: true, write: true });
      case "%":
        return this.#addLimitedKeys(rule);
      case "&":
        return this.#addChannels(rule.slice(1));
      case "+":
      case "-":
        return this.commands.apply(rule);
      default:
        return "syntax";
    }
  }

  #setAllKeys(all: boolean): void {
    this.#allKeys = all;
    this.#keys = [];
  }

  #setAllChannels(all: boolean): void {
    this.allChannels = all;
    this.channels = [];
  }

  /** `%R~pattern`, `%W~pattern`, `%RW~pattern`. */
  #addLimitedKeys(rule: string): RuleError | undefined {
    if (this.#allKeys) return "keys-after-all";
    const match = /^%(R|W|RW|WR)(?:~|$)/i.exec(rule);
    if (match === null) return "syntax";
    const letters = (match[1] as string).toUpperCase();
    const pattern = rule.slice(match[0].length);
    return this.#addKeys(pattern, { read: letters.includes("R"), write: letters.includes("W") });
  }

  #addKeys(pattern: string, access: Omit<KeyPattern, "pattern">): RuleError | undefined {
    if (this.#allKeys) return "keys-after-all";
    if (hasBlanks(pattern)) return "syntax";
    const known = this.#keys.find((each) => each.pattern === pattern);
    if (known === undefined) this.#keys = [...this.#keys, { pattern, ...access }];
    else {
      const read = known.read || access.read;
      const write = known.write || access.write;
      this.#keys = this.#keys.map((each) => (each === known ? { pattern, read, write } : each));
    }
    return undefined;
  }

  #addChannels(pattern: string): RuleError | undefined {
    if (this.allChannels) return "channels-after-all";
    if (hasBlanks(pattern)) return "syntax";
    if (!this.channels.includes(pattern)) this.channels = [...this.channels, pattern];
    return undefined;
  }

  check(command: Command, argv: readonly string[], touched: Touched): Denial | undefined {
    if ((command.flags & Flag.noAuth) === 0 && !this.commands.allows(command, argv)) {
      return { reason: "command", index: 0 };
    }
    if (!this.#allKeys) {
      const denied = touched.keys.find((key) => !this.#mayTouch(argv[key.index] as string, key));
      if (denied !== undefined) return { reason: "key", index: denied.index };
    }
    if (!this.allChannels) {
      const isPattern = command.spec.channels === "patterns";
      const denied = touched.channels.find(
        (index) => !mayListen(this.channels, argv[index] as string, isPattern),
      );
      if (denied !== undefined) return { reason: "channel", index: denied };
    }
    return undefined;
  }

  /** Whether every key may be read, whatever its name. */
  get readsAllKeys(): boolean {
    return this.#allKeys || this.#keys.some(({ pattern, read }) => read && pattern === "*");
  }

  #mayTouch(key: string, { flags }: KeyPosition): boolean {
    const reads = flags.includes("access");
    const writes = flags.some(
      (flag) => flag === "insert" || flag === "delete" || flag === "update",
    );
    return this.#keys.some(
      ({ pattern, read, write }) =>
        (read || !reads) && (write || !writes) && globMatch(pattern, key, false),
    );
  }

  describeKeys(): string {
    return this.#allKeys ? "~*" : this.#keys.map(formatKeyPattern).join(" ");
  }

  describeChannels(): string {
    return this.allChannels ? "&*" : this.channels.map((each) => `&${each}`).join(" ");
  }

  /** As ACL LIST prints it. */
  describe(): string {
    const channels = this.allChannels ? "&*" : `resetchannels ${this.describeChannels()}`.trimEnd();
    const parts = [this.describeKeys(), channels, this.commands.describe()];
    return parts.filter((part) => part !== "").join(" ");
  }
}

/** Patterns must be named as they are; channels match patterns. */
export function mayListen(channels: readonly string[], name: string, isPattern: boolean): boolean {
  return channels.some((each) => (isPattern ? each === name : globMatch(each, name, false)));
}
