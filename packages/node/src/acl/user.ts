/** A user: passwords, and what may be done by whoever logs in with one of them. */
import { createHash, timingSafeEqual } from "node:crypto";
import { keyPositions } from "../commands/key-positions.js";
import type { Command } from "../commands/registry.js";
import { splitArguments } from "../config/split-arguments.js";
import type { CommandCatalogue } from "./command-rules.js";
import type { RuleError } from "./rule-error.js";
import { type Denial, Selector, type Touched } from "./selector.js";

export interface UserParts {
  readonly catalogue: CommandCatalogue;
  /** `acl-pubsub-default allchannels`. */
  allChannelsByDefault(): boolean;
}

const ranks = { command: 1, key: 2, channel: 4 } as const;

export class User {
  readonly name: string;
  readonly #parts: UserParts;
  enabled = false;
  noPassword = false;
  skipsSanitizing = false;
  /** SHA-256 in hexadecimal. */
  passwords: readonly string[] = [];
  /** The root selector first. */
  selectors: readonly Selector[];
  /** Some selector allows everything: nothing needs to be checked. */
  unrestricted = false;

  constructor(name: string, parts: UserParts) {
    this.name = name;
    this.#parts = parts;
    this.selectors = [this.#newSelector()];
  }

  get root(): Selector {
    return this.selectors[0] as Selector;
  }

  /** Takes over everything but the name. */
  become(other: User): void {
    this.enabled = other.enabled;
    this.noPassword = other.noPassword;
    this.skipsSanitizing = other.skipsSanitizing;
    this.passwords = other.passwords;
    this.selectors = other.selectors.map((each) => each.copy(this.#parts.catalogue));
    this.unrestricted = other.unrestricted;
  }

  /** One rule, `(…)` being a selector of its own. */
  apply(rule: string): RuleError | undefined {
    const refusal = this.#apply(rule);
    this.unrestricted = this.selectors.some((selector) => selector.unrestricted);
    return refusal;
  }

  #apply(rule: string): RuleError | undefined {
    switch (rule.toLowerCase()) {
      case "":
        return undefined;
      case "on":
      case "off":
        this.enabled = rule.toLowerCase() === "on";
        return undefined;
      case "skip-sanitize-payload":
      case "sanitize-payload":
        this.skipsSanitizing = rule.toLowerCase() === "skip-sanitize-payload";
        return undefined;
      case "nopass":
      case "resetpass":
        this.noPassword = rule.toLowerCase() === "nopass";
        this.passwords = [];
        return undefined;
      case "clearselectors":
        this.selectors = [this.root];
        return undefined;
      case "reset":
        this.enabled = false;
        this.noPassword = false;
        this.skipsSanitizing = false;
        this.passwords = [];
        this.selectors = [this.#newSelector()];
        return undefined;
      default:
        return this.#applyMarked(rule);
    }
  }

  #applyMarked(rule: string): RuleError | undefined {
    switch (rule.charAt(0)) {
      case ">":
      case "#":
        return this.#addPassword(rule);
      case "<":
      case "!":
        return this.#removePassword(rule);
      case "(":
        if (rule.endsWith(")")) return this.#addSelector(rule.slice(1, -1));
        return "syntax";
      default:
        return this.root.apply(rule);
    }
  }

  #newSelector(): Selector {
    return new Selector(this.#parts.catalogue, this.#parts.allChannelsByDefault());
  }

  #addSelector(rules: string): RuleError | undefined {
    const selector = this.#newSelector();
    for (const rule of splitArguments(rules) ?? []) {
      const refusal = selector.apply(rule);
      if (refusal !== undefined) return refusal;
    }
    this.selectors = [...this.selectors, selector];
    return undefined;
  }

  #addPassword(rule: string): RuleError | undefined {
    const hash = hashOf(rule, ">");
    if (hash === undefined) return "bad-hash";
    if (!this.passwords.includes(hash)) this.passwords = [...this.passwords, hash];
    this.noPassword = false;
    return undefined;
  }

  #removePassword(rule: string): RuleError | undefined {
    const hash = hashOf(rule, "<");
    if (hash === undefined) return "bad-hash";
    if (!this.passwords.includes(hash)) return "no-such-password";
    this.passwords = this.passwords.filter((each) => each !== hash);
    return undefined;
  }

  /** Whether this password lets somebody in. */
  accepts(password: string): boolean {
    if (!this.enabled) return false;
    if (this.noPassword) return true;
    const hash = Buffer.from(sha256(password), "latin1");
    let matches = false;
    for (const each of this.passwords) {
      if (timingSafeEqual(Buffer.from(each, "latin1"), hash)) matches = true;
    }
    return matches;
  }

  /** Why the user may not run this; of several selectors' reasons, the farthest one. */
  check(command: Command, argv: readonly string[]): Denial | undefined {
    if (this.unrestricted) return undefined;
    const touched = touchedBy(command, argv);
    let worst: Denial = { reason: "command", index: 0 };
    for (const selector of this.selectors) {
      const denial = selector.check(command, argv, touched);
      if (denial === undefined) return undefined;
      const distance = ranks[denial.reason] - ranks[worst.reason];
      if (distance > 0 || (distance === 0 && denial.index > worst.index)) worst = denial;
    }
    return worst;
  }

  /** Whether this may be run by a selector that also allows to read keys it does not name. */
  mayReadAnyKey(command: Command, argv: readonly string[]): boolean {
    if (this.unrestricted) return true;
    const touched = touchedBy(command, argv);
    return this.selectors.some(
      (selector) => selector.readsAllKeys && selector.check(command, argv, touched) === undefined,
    );
  }

  get flags(): readonly string[] {
    return [
      this.enabled ? "on" : "off",
      ...(this.noPassword ? ["nopass"] : []),
      this.skipsSanitizing ? "skip-sanitize-payload" : "sanitize-payload",
    ];
  }

  /** The rules that make this user, as ACL LIST prints them behind the name. */
  describe(): string {
    const passwords = this.passwords.map((hash) => `#${hash}`);
    const [root, ...others] = this.selectors.map((selector) => selector.describe());
    const selectors = others.map((each) => `(${each})`);
    return [...this.flags, ...passwords, root, ...selectors].join(" ");
  }
}

function touchedBy(command: Command, argv: readonly string[]): Touched {
  return { keys: keyPositions(command, argv) ?? [], channels: channelPlaces(command, argv) };
}

/** Places of the channels that a command publishes to or listens to. */
function channelPlaces({ spec }: Command, argv: readonly string[]): readonly number[] {
  if (spec.channels === undefined) return [];
  if (spec.channels === "published") return [1];
  return argv.flatMap((_, index) => (index > 0 ? [index] : []));
}

function sha256(password: string): string {
  return createHash("sha256").update(password, "latin1").digest("hex");
}

/** The hash that a rule means: of the plain password behind `plainMark`, else the one it gives. */
function hashOf(rule: string, plainMark: string): string | undefined {
  const text = rule.slice(1);
  if (rule.startsWith(plainMark)) return sha256(text);
  return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}
