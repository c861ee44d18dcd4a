/**
 * Which commands a selector may run: the rules as they were given, in their order, and what they
 * come to for each command. Rules name commands by their original names, whatever they are renamed
 * to.
 */
import type { Command } from "../commands/registry.js";
import type { AclCategory } from "../commands/spec.js";
import type { RuleError } from "./rule-error.js";

/** All commands, subcommands included, as rules see them. */
export interface CommandCatalogue {
  /** By full name in lower case. */
  find(fullName: string): Command | undefined;
  all(): readonly Command[];
  category(name: string): AclCategory | undefined;
}

export class CommandRules {
  readonly #catalogue: CommandCatalogue;
  /** Nothing was ever taken away: no command needs to be asked for. */
  allowsAll = false;
  /** The rules begin with +@all. */
  #beginsWithAll = false;
  #allowed = new Set<Command>();
  /** First arguments with which a command that is not allowed may still run. */
  #firstArguments = new Map<Command, Set<string>>();
  /** With their sign. */
  #rules: string[] = [];

  constructor(catalogue: CommandCatalogue) {
    this.#catalogue = catalogue;
  }

  copy(): CommandRules {
    const copy = new CommandRules(this.#catalogue);
    copy.allowsAll = this.allowsAll;
    copy.#beginsWithAll = this.#beginsWithAll;
    copy.#allowed = new Set(this.#allowed);
    copy.#firstArguments = new Map(
      [...this.#firstArguments].map(([command, words]) => [command, new Set(words)]),
    );
    copy.#rules = [...this.#rules];
    return copy;
  }

  setAll(allow: boolean): void {
    this.allowsAll = allow;
    this.#beginsWithAll = allow;
    this.#allowed = new Set(allow ? this.#catalogue.all() : []);
    this.#firstArguments = new Map();
    this.#rules = [];
  }

  /** `+get`, `-@admin`, `+config|set`, `+select|0`. */
  apply(rule: string): RuleError | undefined {
    const allow = rule.startsWith("+");
    const name = rule.slice(1);
    if (name.startsWith("@")) return this.#applyCategory(name, allow);
    if (allow && name.includes("|")) return this.#allowPart(name);
    const command = this.#catalogue.find(name.toLowerCase());
    if (command === undefined) return "unknown-command";
    this.#change(command, allow);
    this.#retain(command.fullName, allow);
    return undefined;
  }

  #applyCategory(name: string, allow: boolean): RuleError | undefined {
    const category = this.#catalogue.category(name.slice(1).toLowerCase());
    if (category === undefined) return "unknown-command";
    this.#retain(name.toLowerCase(), allow);
    for (const command of this.#catalogue.all()) {
      if (command.categories.includes(category)) this.#change(command, allow);
    }
    return undefined;
  }

  /** A subcommand, or, for a command without subcommands, what its first argument may be. */
  #allowPart(name: string): RuleError | undefined {
    const bar = name.lastIndexOf("|");
    const command = this.#catalogue.find(name.slice(0, bar).toLowerCase());
    const part = name.slice(bar + 1);
    if (command === undefined) return "unknown-command";
    if (command.parent !== undefined) return "argument-of-subcommand";
    if (part === "") return "syntax";
    if (command.subcommands === undefined) {
      const words = this.#firstArguments.get(command) ?? new Set();
      this.#firstArguments.set(command, words.add(part.toLowerCase()));
    } else {
      const sub = this.#catalogue.find(name.toLowerCase());
      if (sub === undefined) return "unknown-command";
      this.#change(sub, true);
    }
    this.#retain(name.toLowerCase(), true);
    return undefined;
  }

  #change(command: Command, allow: boolean): void {
    this.#firstArguments.delete(command);
    for (const each of [command, ...(command.subcommands?.values() ?? [])]) {
      if (allow) this.#allowed.add(each);
      else this.#allowed.delete(each);
    }
    if (!allow) this.allowsAll = false;
  }

  /** The newest rule about something stands for those before it, and for those about its parts. */
  #retain(name: string, allow: boolean): void {
    this.#rules = this.#rules.filter((rule) => {
      const known = rule.slice(1);
      return known !== name && !known.startsWith(`${name}|`);
    });
    this.#rules.push(`${allow ? "+" : "-"}${name}`);
  }

  allows(command: Command, argv: readonly string[]): boolean {
    if (this.allowsAll || this.#allowed.has(command)) return true;
    const words = this.#firstArguments.get(command);
    const first = argv[command.parent === undefined ? 1 : 2];
    return words !== undefined && first !== undefined && words.has(first.toLowerCase());
  }

  /** As ACL LIST prints it. */
  describe(): string {
    return [this.#beginsWithAll ? "+@all" : "-@all", ...this.#rules].join(" ");
  }
}
