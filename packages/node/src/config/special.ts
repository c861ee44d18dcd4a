/**
 * Directives whose value is no single word: save points, output buffer limits, event classes,
 * addresses, percentiles, the primary to follow, the working directory. Owns their reading and
 * printing, as `directive.ts` does for the plain kinds.
 */

import { resolve as resolvePath } from "node:path";
import { type Directive, type Parsed, Refusal } from "./directive.js";
import { formatMemory, parseLenientInteger, parseMemory } from "./numbers.js";
import { quoteArgument } from "./split-arguments.js";

/** Save the data set after `seconds` if at least `changes` keys changed. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

export interface OutputBufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

export interface OutputBufferLimits {
  readonly normal: OutputBufferLimit;
  readonly replica: OutputBufferLimit;
  readonly pubsub: OutputBufferLimit;
}

export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

const MIB = 1024 * 1024;
const WRONG_NUMBER = "wrong number of arguments";

/**
 * Several `save` lines add up while a file is read, the first of them replacing the defaults; at
 * run time each CONFIG SET stands for itself. An empty text means: never.
 */
export const save: Directive<"save", readonly SavePoint[]> = {
  name: "save",
  initial: [
    { seconds: 3600, changes: 1 },
    { seconds: 300, changes: 100 },
    { seconds: 60, changes: 10000 },
  ],
  multi: true,
  parse(list, context) {
    const cleared = list.length === 1 && list[0] === "";
    const words = cleared ? [] : list;
    if (words.length % 2 === 1) return new Refusal("Invalid save parameters");
    const points: SavePoint[] = [];
    for (let i = 0; i < words.length; i += 2) {
      const seconds = parseLenientInteger(words[i]!);
      const changes = parseLenientInteger(words[i + 1]!);
      if (seconds === undefined || seconds < 1n || changes === undefined || changes < 0n) {
        return new Refusal("Invalid save parameters");
      }
      points.push({ seconds: Number(seconds), changes: Number(BigInt.asIntN(32, changes)) });
    }
    const kept = context.loading && !context.firstMention && !cleared ? context.current : [];
    const value = [...kept, ...points];
    return { value, text: save.format(value) };
  },
  format: (value) => value.map((point) => `${point.seconds} ${point.changes}`).join(" "),
  rewrite(_text, value) {
    if (value.length === 0) return [{ line: 'save ""', force: true }];
    return value.map((point) => ({ line: `save ${point.seconds} ${point.changes}`, force: true }));
  },
};

type BufferClass = keyof OutputBufferLimits;

/** The order in which the classes are printed, and the name that CONFIG GET uses for each. */
const BUFFER_CLASSES: readonly { readonly key: BufferClass; readonly printed: string }[] = [
  { key: "normal", printed: "normal" },
  { key: "replica", printed: "slave" },
  { key: "pubsub", printed: "pubsub" },
];

export const clientOutputBufferLimit: Directive<"client-output-buffer-limit", OutputBufferLimits> =
  {
    name: "client-output-buffer-limit",
    initial: {
      normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
      replica: { hardBytes: 256 * MIB, softBytes: 64 * MIB, softSeconds: 60 },
      pubsub: { hardBytes: 32 * MIB, softBytes: 8 * MIB, softSeconds: 60 },
    },
    multi: true,
    parse(list, context) {
      if (list.length % 4 !== 0) {
        return new Refusal("Wrong number of arguments in buffer limit configuration.");
      }
      const value: Record<BufferClass, OutputBufferLimit> = { ...context.current };
      for (let i = 0; i < list.length; i += 4) {
        const name = list[i]!.toLowerCase();
        const found = BUFFER_CLASSES.find((each) => each.key === name || each.printed === name);
        if (found === undefined) {
          return new Refusal("Invalid client class specified in buffer limit configuration.");
        }
        const hard = parseMemory(list[i + 1]!);
        const soft = parseMemory(list[i + 2]!);
        const seconds = parseLenientInteger(list[i + 3]!);
        if (hard === undefined || soft === undefined || seconds === undefined || seconds < 0n) {
          return new Refusal(
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
          );
        }
        value[found.key] = {
          hardBytes: Number(hard),
          softBytes: Number(soft),
          softSeconds: Number(seconds),
        };
      }
      return { value, text: clientOutputBufferLimit.format(value) };
    },
    format: (value) =>
      BUFFER_CLASSES.map(({ key, printed }) => {
        const limit = value[key];
        return `${printed} ${limit.hardBytes} ${limit.softBytes} ${limit.softSeconds}`;
      }).join(" "),
    rewrite: (_text, value) =>
      BUFFER_CLASSES.map(({ key }) => {
        const limit = value[key];
        const standard = clientOutputBufferLimit.initial[key];
        const hard = formatMemory(BigInt(limit.hardBytes));
        const soft = formatMemory(BigInt(limit.softBytes));
        return {
          line: `client-output-buffer-limit ${key} ${hard} ${soft} ${limit.softSeconds}`,
          force:
            limit.hardBytes !== standard.hardBytes ||
            limit.softBytes !== standard.softBytes ||
            limit.softSeconds !== standard.softSeconds,
        };
      }),
  };

/** The scores of primary, replica and background child; kept and shown, nothing acts on them. */
export const oomScoreAdjValues: Directive<"oom-score-adj-values", readonly number[]> = {
  name: "oom-score-adj-values",
  initial: [0, 200, 800],
  multi: true,
  parse(list) {
    if (list.length !== 3) return new Refusal(WRONG_NUMBER);
    const value: number[] = [];
    for (const word of list) {
      const score = parseLenientInteger(word);
      if (score === undefined || score < -2000n || score > 2000n) {
        return new Refusal(
          "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
        );
      }
      value.push(Number(score));
    }
    return { value, text: value.join(" ") };
  },
  format: (value) => value.join(" "),
  rewrite: (text, value) => [
    {
      line: `oom-score-adj-values ${text}`,
      force: value.some((score, i) => score !== oomScoreAdjValues.initial[i]),
    },
  ],
};

/** One bit per class of keyspace events, in the order in which CONFIG prints them. */
export const KEYSPACE_EVENT_BITS = {
  g: 1 << 2,
  $: 1 << 3,
  l: 1 << 4,
  s: 1 << 5,
  h: 1 << 6,
  z: 1 << 7,
  x: 1 << 8,
  e: 1 << 9,
  t: 1 << 10,
  d: 1 << 13,
  n: 1 << 14,
  K: 1 << 0,
  E: 1 << 1,
  m: 1 << 11,
} as const;

type EventLetter = keyof typeof KEYSPACE_EVENT_BITS;

const EVENT_LETTERS = Object.keys(KEYSPACE_EVENT_BITS) as readonly EventLetter[];
const OUTSIDE_OF_ALL: readonly EventLetter[] = ["K", "E", "m", "n"];

/** What `A` stands for: every class but key misses and new keys, which must be asked for. */
export const KEYSPACE_EVENTS_ALL = EVENT_LETTERS.filter(
  (letter) => !OUTSIDE_OF_ALL.includes(letter),
).reduce((bits, letter) => bits | KEYSPACE_EVENT_BITS[letter], 0);

export const notifyKeyspaceEvents: Directive<"notify-keyspace-events", number> = {
  name: "notify-keyspace-events",
  initial: 0,
  multi: false,
  parse(list) {
    if (list.length !== 1) return new Refusal(WRONG_NUMBER);
    let value = 0;
    for (const letter of list[0]!) {
      const known = EVENT_LETTERS.find((each) => each === letter);
      if (letter === "A") value |= KEYSPACE_EVENTS_ALL;
      else if (known !== undefined) value |= KEYSPACE_EVENT_BITS[known];
      else return new Refusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
    return { value, text: notifyKeyspaceEvents.format(value) };
  },
  format(value) {
    const all = (value & KEYSPACE_EVENTS_ALL) === KEYSPACE_EVENTS_ALL;
    let printed = all ? "A" : "";
    for (const letter of EVENT_LETTERS) {
      const bit = KEYSPACE_EVENT_BITS[letter];
      // Redis prints no `n` once `A` stands there, although `A` does not hold it.
      if (all && ((bit & KEYSPACE_EVENTS_ALL) !== 0 || letter === "n")) continue;
      if ((value & bit) !== 0) printed += letter;
    }
    return printed;
  },
  rewrite: (text, value) => [
    { line: `notify-keyspace-events ${quoteArgument(text)}`, force: value !== 0 },
  ],
};

/** Addresses to listen on; one that begins with `-` may be missing on this machine. */
export const bind: Directive<"bind", readonly string[]> = {
  name: "bind",
  initial: ["*", "-::*"],
  multi: true,
  parse(list) {
    if (list.length > 16) return new Refusal("Too many bind addresses specified.");
    const value = list.length === 1 && list[0] === "" ? [] : list;
    return { value, text: value.join(" ") };
  },
  format: (value) => value.join(" "),
  rewrite(text) {
    if (text === bind.format(bind.initial)) return [];
    return [{ line: `bind ${text === "" ? '""' : text}`, force: true }];
  },
};

export const replicaof: Directive<"replicaof", PrimaryAddress | undefined> = {
  name: "replicaof",
  alias: "slaveof",
  immutable: true,
  initial: undefined,
  multi: true,
  parse(list) {
    if (list.length !== 2) return new Refusal(WRONG_NUMBER);
    const [host, portText] = [list[0]!, list[1]!];
    if (host.toLowerCase() === "no" && portText.toLowerCase() === "one") {
      return { value: undefined, text: "" };
    }
    const port = parseLenientInteger(portText);
    if (port === undefined || port < 0n || port > 65535n) return new Refusal("Invalid master port");
    return { value: { host, port: Number(port) }, text: `${host} ${port}` };
  },
  format: (value) => (value === undefined ? "" : `${value.host} ${value.port}`),
  rewrite: (text) => (text === "" ? [] : [{ line: `replicaof ${text}`, force: true }]),
};

export const latencyTrackingInfoPercentiles: Directive<
  "latency-tracking-info-percentiles",
  readonly number[]
> = {
  name: "latency-tracking-info-percentiles",
  initial: [50, 99, 99.9],
  multi: true,
  parse(list): Parsed<readonly number[]> | Refusal {
    const value: number[] = [];
    for (const word of list.length === 1 && list[0] === "" ? [] : list) {
      const percentile = parseDecimal(word);
      if (percentile === undefined) {
        return new Refusal("Invalid latency-tracking-info-percentiles parameters");
      }
      if (percentile < 0 || percentile > 100) {
        return new Refusal(
          "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        );
      }
      value.push(percentile);
    }
    return { value, text: latencyTrackingInfoPercentiles.format(value) };
  },
  format: (value) => value.map(printPercentile).join(" "),
  rewrite: (text) => [
    { line: `latency-tracking-info-percentiles ${text === "" ? '""' : text}`, force: true },
  ],
};

/** Six decimals as C's `%f` prints them, without the zeros at the end. */
function printPercentile(percentile: number): string {
  return percentile.toFixed(6).replace(/\.?0+$/, "");
}

/** A decimal number as C's `strtod` reads it; not the rare hexadecimal form. */
function parseDecimal(word: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(word)) return undefined;
  const value = Number(word);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * The working directory, absolute. No process ever changes its own: many nodes live in one, so
 * every relative path of a node is resolved against this value by whoever opens it.
 */
export const dir: Directive<"dir", string> = {
  name: "dir",
  guarded: true,
  denyLoading: true,
  initial: "",
  multi: false,
  parse(list, context) {
    if (list.length !== 1) return new Refusal(WRONG_NUMBER);
    const value = resolvePath(context.current, list[0]!);
    const reason = context.checkDirectory(value);
    return reason === undefined ? { value, text: value } : new Refusal(reason);
  },
  format: (value) => value,
  rewrite: (_text, value) => [{ line: `dir ${quoteArgument(value)}`, force: true }],
};
