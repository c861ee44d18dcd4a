/**
 * Random stream commands for comparisons: few keys, groups and consumers, ids that meet each other,
 * and now and then everything that an argument may not be.
 */
import { Choices } from "./comparison.js";

type Words = readonly string[];
type Maker = (v: StreamWords) => Words;

const strangeIds: Words = [
  "-",
  "+",
  "$",
  ">",
  "*",
  "0",
  "0-0",
  "5",
  "007",
  " 7",
  "+7",
  "7--1",
  "7-01",
  "1-2-3",
  "a",
  "",
  "-5",
  "9007199254740992-1",
  "18446744073709551615",
  "18446744073709551616-0",
  "7-*",
  "7-\0x",
  "9223372036854775807-9223372036854775808",
  "(5",
  "(",
  "(-",
  "x".repeat(130),
];
const strangeNumbers: Words = [
  "-1",
  "0",
  "x",
  "",
  "1.5",
  "9223372036854775807",
  "9223372036854775808",
];
const lengths: Words = [
  "",
  "a",
  "12",
  "-7",
  "300",
  "70000",
  "9999999999",
  "b".repeat(70),
  "c".repeat(200),
];

export class StreamWords {
  readonly choices: Choices;
  /** Unix ms near which explicit delivery times lie. */
  readonly now: number;
  readonly #top = new Map<string, number>();

  readonly #makers: readonly (readonly [number, Maker])[];

  constructor(options: {
    readonly seed: number;
    readonly now: number;
    /** With consumer groups, XINFO and XSETID, which changed in 7.2. */
    readonly groups: boolean;
  }) {
    this.choices = new Choices(options.seed);
    this.now = options.now;
    this.#makers = options.groups ? [...plainMakers, ...groupMakers] : plainMakers;
  }

  next(): Words {
    const makers = this.#makers;
    const total = makers.reduce((sum, [weight]) => sum + weight, 0);
    let draw = this.choices.below(total);
    for (const [weight, make] of makers) {
      draw -= weight;
      if (draw < 0) return this.#damaged(make(this));
    }
    return ["PING"];
  }

  /** Sometimes a word too much, too few, or a wrong one. */
  #damaged(words: Words): Words {
    const { choices } = this;
    if (!choices.chance(0.02)) return words;
    const at = choices.between(1, words.length - 1);
    const copy = [...words];
    const kind = choices.below(3);
    if (kind === 0) copy.splice(at, 1);
    else if (kind === 1) copy.splice(at, 0, choices.of(["x", "5", "count", "justid"]));
    else
      copy[at] = choices.of([...strangeIds.filter((id) => !/[*\0]/.test(id)), ...strangeNumbers]);
    // What blocks would block both for good.
    return copy.some((word) => /^(block|\*)$/i.test(word)) ? words : copy;
  }

  key(): string {
    return this.choices.of([
      "s1",
      "s1",
      "s1",
      "s2",
      "s2",
      "s3",
      ...(this.choices.chance(0.1) ? ["text"] : []),
    ]);
  }

  group(): string {
    return this.choices.of(["g", "g", "g2", ...(this.choices.chance(0.05) ? ["none", ""] : [])]);
  }

  consumer(): string {
    return this.choices.of(["c1", "c1", "c2", "c", "c10"]);
  }

  number(max: number): string {
    return this.choices.chance(0.03)
      ? this.choices.of(strangeNumbers)
      : String(this.choices.below(max));
  }

  /** An id that may well be there. */
  id(key: string): string {
    const { choices } = this;
    if (choices.chance(0.03)) return choices.of(strangeIds.filter((id) => id !== "*"));
    const top = this.#top.get(key) ?? 1;
    const ms = choices.between(Math.max(0, top - 12), top + 1);
    return choices.chance(0.2) ? String(ms) : `${ms}-${choices.below(4)}`;
  }

  bound(key: string, open: string): string {
    if (this.choices.chance(0.4)) return open;
    return (this.choices.chance(0.2) ? "(" : "") + this.id(key);
  }

  ids(key: string, max: number): string[] {
    return Array.from({ length: this.choices.between(1, max) }, () => this.id(key));
  }

  newId(key: string): string {
    const { choices } = this;
    if (choices.chance(0.02))
      return choices.of(strangeIds.filter((id) => id !== "*" && !/^\d{10}/.test(id)));
    const top = this.#top.get(key) ?? 1;
    const ms = top + (choices.chance(0.6) ? 1 : choices.below(3));
    this.#top.set(key, ms);
    return choices.of([`${ms}-*`, `${ms}-*`, `${ms}-${choices.below(3)}`, String(ms)]);
  }

  /** A new stream begins with small ids. */
  forget(key: string): void {
    this.#top.delete(key);
  }

  pairs(): string[] {
    const { choices } = this;
    if (choices.chance(0.7)) return ["a", choices.of(lengths), "b", choices.of(lengths)];
    return Array.from({ length: choices.between(1, 3) }, () => [
      choices.of(["a", "b", "17", choices.of(lengths)]),
      choices.of(lengths),
    ]).flat();
  }

  trim(key: string): string[] {
    const { choices } = this;
    const operator = choices.of([["~"], ["="], []]);
    const words = choices.chance(0.5)
      ? ["MAXLEN", ...operator, this.number(30)]
      : ["minid", ...operator, this.id(key)];
    return choices.chance(0.3) ? [...words, "LIMIT", this.number(40)] : words;
  }

  idle(): string {
    return this.choices.chance(0.05) ? "x" : this.choices.of(["0", "0", "50000"]);
  }

  count(): string[] {
    return this.choices.chance(0.6) ? ["COUNT", this.number(6)] : [];
  }
}

function read(v: StreamWords): Words {
  const keys = Array.from({ length: v.choices.between(1, 2) }, () => v.key());
  const ids = keys.map((key) => (v.choices.chance(0.1) ? "$" : v.id(key)));
  return ["XREAD", ...v.count(), "STREAMS", ...keys, ...ids];
}

function readGroup(v: StreamWords): Words {
  const keys = Array.from({ length: v.choices.chance(0.1) ? 2 : 1 }, () => v.key());
  const ids = keys.map((key) => (v.choices.chance(0.75) ? ">" : v.choices.of(["0", v.id(key)])));
  const noAck = v.choices.chance(0.15) ? ["NOACK"] : [];
  const head = ["XREADGROUP", "GROUP", v.group(), v.consumer(), ...v.count(), ...noAck];
  return [...head, "STREAMS", ...keys, ...ids];
}

function claim(v: StreamWords): Words {
  const key = v.key();
  const { choices } = v;
  const words = ["XCLAIM", key, v.group(), v.consumer(), v.idle(), ...v.ids(key, 3)];
  if (choices.chance(0.3)) words.push("IDLE", choices.of(["0", "100000", "1000000"]));
  if (choices.chance(0.1)) words.push("TIME", String(v.now - choices.of([100_000, 1_000_000])));
  if (choices.chance(0.2)) words.push("retrycount", v.number(9));
  if (choices.chance(0.3)) words.push("FORCE");
  if (choices.chance(0.3)) words.push("JUSTID");
  if (choices.chance(0.1)) words.push("LASTID", v.id(key));
  return words;
}

function pending(v: StreamWords): Words {
  const key = v.key();
  if (v.choices.chance(0.2)) return ["XPENDING", key, v.group()];
  const idle = v.choices.chance(0.3) ? ["IDLE", v.choices.of(["0", "50000", "x"])] : [];
  const range = [v.bound(key, "-"), v.bound(key, "+"), v.number(9)];
  return [
    "XPENDING",
    key,
    v.group(),
    ...idle,
    ...range,
    ...(v.choices.chance(0.3) ? [v.consumer()] : []),
  ];
}

function forget(v: StreamWords): Words {
  const key = v.key();
  v.forget(key);
  return ["DEL", key];
}

const plainMakers: readonly (readonly [number, Maker])[] = [
  [
    30,
    (v) => {
      const key = v.key();
      return ["XADD", key, v.newId(key), ...v.pairs()];
    },
  ],
  [
    6,
    (v) => {
      const key = v.key();
      return ["XADD", key, ...v.trim(key), v.newId(key), ...v.pairs()];
    },
  ],
  [
    1,
    (v) => {
      const key = v.key();
      return ["XADD", key, "nomkstream", v.newId(key), ...v.pairs()];
    },
  ],
  [
    4,
    (v) => {
      const key = v.key();
      return ["XTRIM", key, ...v.trim(key)];
    },
  ],
  [
    8,
    (v) => {
      const key = v.key();
      return ["XDEL", key, ...v.ids(key, 3)];
    },
  ],
  [1, (v) => ["XLEN", v.key()]],
  [
    4,
    (v) => {
      const key = v.key();
      return ["XRANGE", key, v.bound(key, "-"), v.bound(key, "+"), ...v.count()];
    },
  ],
  [
    4,
    (v) => {
      const key = v.key();
      return ["XREVRANGE", key, v.bound(key, "+"), v.bound(key, "-"), ...v.count()];
    },
  ],
  [5, read],
  [1, forget],
  [1, (v) => ["COPY", v.key(), v.choices.of(["s2", "s3"]), "REPLACE"]],
  [1, () => ["SET", "text", "x"]],
  [1, (v) => ["OBJECT", "ENCODING", v.key()]],
];

const groupMakers: readonly (readonly [number, Maker])[] = [
  [14, readGroup],
  [
    4,
    (v) => {
      const key = v.key();
      return [
        "XGROUP",
        "CREATE",
        key,
        v.group(),
        v.choices.of(["0", "$", v.id(key)]),
        ...v.choices.of([[], ["MKSTREAM"]]),
        ...v.choices.of([[], ["ENTRIESREAD", v.number(20)]]),
      ];
    },
  ],
  [
    2,
    (v) => {
      const key = v.key();
      return [
        "XGROUP",
        "SETID",
        key,
        v.group(),
        v.choices.of(["0", "$", "-", v.id(key)]),
        ...v.choices.of([[], ["ENTRIESREAD", v.number(20)]]),
      ];
    },
  ],
  [1, (v) => ["XGROUP", "DESTROY", v.key(), v.group()]],
  [2, (v) => ["xgroup", "createconsumer", v.key(), v.group(), v.consumer()]],
  [1, (v) => ["XGROUP", "DELCONSUMER", v.key(), v.group(), v.consumer()]],
  [
    8,
    (v) => {
      const key = v.key();
      return ["XACK", key, v.group(), ...v.ids(key, 3)];
    },
  ],
  [6, pending],
  [6, claim],
  [
    4,
    (v) => {
      const key = v.key();
      return [
        "XAUTOCLAIM",
        key,
        v.group(),
        v.consumer(),
        v.idle(),
        v.bound(key, "0"),
        ...v.count(),
        ...v.choices.of([[], ["JUSTID"]]),
      ];
    },
  ],
  [3, (v) => ["XINFO", "STREAM", v.key()]],
  [4, (v) => ["XINFO", "STREAM", v.key(), "FULL", ...v.count()]],
  [3, (v) => ["XINFO", "GROUPS", v.key()]],
  [2, (v) => ["XINFO", "CONSUMERS", v.key(), v.group()]],
  [
    2,
    (v) => {
      const key = v.key();
      return ["XSETID", key, v.id(key)];
    },
  ],
  [
    1,
    (v) => {
      const key = v.key();
      return ["XSETID", key, v.id(key), "ENTRIESADDED", v.number(99), "MAXDELETEDID", v.id(key)];
    },
  ],
];
