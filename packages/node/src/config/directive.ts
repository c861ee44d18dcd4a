/**
 * What a directive is, and the kinds most of them are: switches, numbers with bounds, memory
 * sizes, choices, texts. A directive knows how to read its words, how to print itself, and how it
 * stands in a file; it holds no value and does nothing when it changes.
 */

import {
  formatMemory,
  LONG_MAX,
  parseMemory,
  parseOctal,
  parseStrictInteger,
  ULONG_MAX,
} from "./numbers.js";
import { quoteArgument } from "./split-arguments.js";

/** Why a value was not taken: exactly the text that follows ` - ` in CONFIG SET's error. */
export class Refusal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A value together with what CONFIG GET prints for it. */
export interface Parsed<Value> {
  readonly value: Value;
  readonly text: string;
}

/** What reading a value may depend on besides its words. */
export interface ParseContext<Value> {
  readonly current: Value;
  /** True while a file or the command line is read; there `save` lines add up. */
  readonly loading: boolean;
  /** True the first time a directive is met while loading. */
  readonly firstMention: boolean;
  /** Says why a directory cannot be entered, in the words of the operating system. */
  checkDirectory(path: string): string | undefined;
}

export interface Traits {
  /** The older name of the same directive; both are listed. */
  readonly alias?: string;
  /** Only a file or the command line may set it. */
  readonly immutable?: boolean;
  /** Patterns of CONFIG GET do not find it; its exact name does. */
  readonly hidden?: boolean;
  /** Never shown in logs. */
  readonly sensitive?: boolean;
  /** Changed at run time only where `enable-protected-configs` lets it. */
  readonly guarded?: boolean;
  /** Refused with LOADING while the data set is loaded. */
  readonly denyLoading?: boolean;
  /** Applied even when set to the value it has: the file it names may have changed. */
  readonly volatile?: boolean;
}

/** Lines for CONFIG REWRITE; without `force` a line is only written where one stood before. */
export interface RewriteLine {
  readonly line: string;
  readonly force: boolean;
}

export interface Directive<Name extends string, Value> extends Traits {
  readonly name: Name;
  readonly initial: Value;
  /** One value of several words: `CONFIG SET name "a b c"` is split at each blank. */
  readonly multi: boolean;
  parse(words: readonly string[], context: ParseContext<Value>): Parsed<Value> | Refusal;
  format(value: Value): string;
  rewrite(text: string, value: Value): readonly RewriteLine[];
}

export type AnyDirective = Directive<string, unknown>;

/** A rule of its own that a directive adds to its kind's; returns the reason of a refusal. */
export type Rule<Value> = (value: Value) => string | undefined;

export function toggle<const Name extends string>(
  name: Name,
  initial: boolean,
  traits: Traits & { readonly rule?: Rule<boolean> } = {},
): Directive<Name, boolean> {
  const { rule, ...rest } = traits;
  return {
    name,
    initial,
    multi: false,
    ...rest,
    parse(words) {
      const word = words[0]!.toLowerCase();
      if (word !== "yes" && word !== "no") return new Refusal("argument must be 'yes' or 'no'");
      const reason = rule?.(word === "yes");
      return reason === undefined ? { value: word === "yes", text: word } : new Refusal(reason);
    },
    format: (value) => (value ? "yes" : "no"),
    rewrite: (text, value) => [{ line: `${name} ${text}`, force: value !== initial }],
  };
}

export type Notation = "integer" | "memory" | "octal" | "memory-or-percent";

export interface NumberOptions extends Traits {
  readonly initial: number;
  readonly min?: bigint;
  readonly max?: bigint;
  /** How C compares with the bounds: an unsigned -1 is huge, and the text shows no sign. */
  readonly unsigned?: boolean;
  readonly notation?: Notation;
  /** Brings a value that is in bounds into the range that is really used. */
  readonly clamp?: (value: bigint) => bigint;
  readonly rule?: Rule<bigint>;
}

/**
 * A number in base units (bytes, or what the name says). A percentage is stored negative: -10 is
 * 10%. Values beyond 2^53 are exact in CONFIG GET and rounded in the number the node works with.
 */
export function numeric<const Name extends string>(
  name: Name,
  options: NumberOptions,
): Directive<Name, number> {
  const {
    initial,
    min: minBound,
    max: maxBound,
    unsigned,
    notation,
    clamp,
    rule,
    ...traits
  } = options;
  const min = minBound ?? 0n;
  const max = maxBound ?? (unsigned === true ? ULONG_MAX : LONG_MAX);
  const kind = notation ?? "integer";
  const print = (value: bigint): string => {
    if (kind === "memory-or-percent" && value < 0n) return `${-value}%`;
    if (kind === "octal") return value.toString(8);
    return (unsigned === true ? BigInt.asUintN(64, value) : value).toString();
  };
  return {
    name,
    initial,
    multi: false,
    ...traits,
    parse(words) {
      const read = parseNumber(words[0]!, kind);
      if (read instanceof Refusal) return read;
      const outside = boundsReason(read, { min, max, unsigned: unsigned === true, notation: kind });
      const reason = outside ?? rule?.(read);
      if (reason !== undefined) return new Refusal(reason);
      const value = clamp === undefined ? read : clamp(read);
      return {
        value: Number(unsigned === true ? BigInt.asUintN(64, value) : value),
        text: print(value),
      };
    },
    format: (value) => print(BigInt(value)),
    rewrite(text, value) {
      const shown =
        (kind === "memory" || kind === "memory-or-percent") && value >= 0
          ? formatMemory(BigInt(text))
          : text;
      return [{ line: `${name} ${shown}`, force: value !== initial }];
    },
  };
}

function parseNumber(text: string, notation: Notation): bigint | Refusal {
  switch (notation) {
    case "integer": {
      const value = parseStrictInteger(text);
      return value ?? new Refusal("argument couldn't be parsed into an integer");
    }
    case "octal": {
      const value = parseOctal(text);
      return value ?? new Refusal("argument couldn't be parsed as an octal number");
    }
    case "memory": {
      const value = parseMemory(cString(text));
      return value === undefined
        ? new Refusal("argument must be a memory value")
        : BigInt.asIntN(64, value);
    }
    case "memory-or-percent": {
      const bytes = parseMemory(cString(text));
      if (bytes !== undefined) return BigInt.asIntN(64, bytes);
      if (text.length > 1 && text.endsWith("%")) {
        const percent = parseStrictInteger(text.slice(0, -1));
        if (percent !== undefined && percent >= 0n) return -percent;
      }
      return new Refusal("argument must be a memory or percent value");
    }
  }
}

interface Bounds {
  readonly min: bigint;
  readonly max: bigint;
  readonly unsigned: boolean;
  readonly notation: Notation;
}

function boundsReason(value: bigint, bounds: Bounds): string | undefined {
  const { min, max, notation } = bounds;
  if (notation === "memory-or-percent" && value < 0n) {
    return value < min ? `percentage argument must be less or equal to ${-min}` : undefined;
  }
  const compared = bounds.unsigned ? BigInt.asUintN(64, value) : value;
  if (compared >= min && compared <= max) return undefined;
  const radix = notation === "octal" ? 8 : 10;
  return `argument must be between ${min.toString(radix)} and ${max.toString(radix)} inclusive`;
}

/** One word out of a list. `synonyms` are accepted and printed as what they mean. */
export function choice<const Name extends string, const Choice extends string>(
  name: Name,
  choices: readonly Choice[],
  initial: NoInfer<Choice>,
  traits: Traits & { readonly synonyms?: Readonly<Partial<Record<Choice, Choice>>> } = {},
): Directive<Name, Choice> {
  const { synonyms, ...rest } = traits;
  return {
    name,
    initial,
    multi: false,
    ...rest,
    parse(words) {
      const word = words[0]!.toLowerCase();
      const found = choices.find((each) => each === word);
      if (words.length !== 1 || found === undefined) return mustBeOneOf(choices);
      const value = synonyms?.[found] ?? found;
      return { value, text: value };
    },
    format: (value) => value,
    rewrite: (text, value) => [{ line: `${name} ${text}`, force: value !== initial }],
  };
}

/** Any number of words out of a list; `none` is the word for no word at all. */
export function choices<const Name extends string, const Choice extends string>(
  name: Name,
  options: Traits & {
    readonly none: string;
    readonly choices: readonly Choice[];
    readonly rule?: Rule<readonly Choice[]>;
  },
): Directive<Name, readonly Choice[]> {
  const { none, choices: known, rule, ...traits } = options;
  const print = (value: readonly Choice[]): string => (value.length === 0 ? none : value.join(" "));
  return {
    name,
    initial: [],
    multi: true,
    ...traits,
    parse(words) {
      const wanted = words.map((word) => word.toLowerCase());
      const unknown = wanted.some((word) => word !== none && !known.some((each) => each === word));
      if (wanted.length === 0 || unknown) return mustBeOneOf([none, ...known]);
      const value = known.filter((each) => wanted.includes(each));
      const reason = rule?.(value);
      return reason === undefined ? { value, text: print(value) } : new Refusal(reason);
    },
    format: print,
    rewrite: (text, value) => [{ line: `${name} ${text}`, force: value.length > 0 }],
  };
}

function mustBeOneOf(choicesOf: readonly string[]): Refusal {
  return new Refusal(`argument(s) must be one of the following: ${choicesOf.join(", ")}`);
}

/**
 * A text. `unset` says that an empty one means "not set", and then no line of a file may carry it:
 * CONFIG REWRITE removes the lines there are. Redis keeps most texts as C strings, which end at a
 * zero byte; `anyBytes` marks those that it keeps whole.
 */
export function text<const Name extends string>(
  name: Name,
  initial: string,
  traits: Traits & TextTraits = {},
): Directive<Name, string> {
  const { unset, anyBytes, rule, ...rest } = traits;
  return {
    name,
    initial,
    multi: false,
    ...rest,
    parse(words) {
      const value = anyBytes === true ? words[0]! : cString(words[0]!);
      const reason = rule?.(value);
      return reason === undefined ? { value, text: value } : new Refusal(reason);
    },
    format: (value) => value,
    rewrite(_text, value) {
      if (unset === true && value === "") return [];
      return [{ line: `${name} ${quoteArgument(value)}`, force: value !== initial }];
    },
  };
}

interface TextTraits {
  readonly unset?: boolean;
  readonly anyBytes?: boolean;
  readonly rule?: Rule<string>;
}

function cString(text: string): string {
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}

/** A list of words that means the same in any file order and has an empty default. */
export function words<const Name extends string>(
  name: Name,
  traits: Traits & { readonly rule?: Rule<readonly string[]> } = {},
): Directive<Name, readonly string[]> {
  const { rule, ...rest } = traits;
  return {
    name,
    initial: [],
    multi: true,
    ...rest,
    parse(list) {
      const value = list.filter((word) => word !== "");
      const reason = rule?.(value);
      return reason === undefined ? { value, text: value.join(" ") } : new Refusal(reason);
    },
    format: (value) => value.join(" "),
    rewrite(_text, value) {
      if (value.length === 0) return [];
      return [{ line: `${name} ${value.map(bareOrQuoted).join(" ")}`, force: true }];
    },
  };
}

function bareOrQuoted(word: string): string {
  return /^[^\s"'\\]+$/.test(word) ? word : quoteArgument(word);
}
