/**
 * The argument tree of `COMMAND DOCS`, read from a declaration's `docs.syntax`.
 *
 * The notation, beyond the usual `key value [NX | XX] [COUNT count] [field ...]`:
 * - `name{a b}` and `name{a | b}` name a required group (a block, or one of several), `name[…]` an
 *   optional one; without a name it takes that of its first member;
 * - an upper-case word or a `'quoted'` one is a token. Right in front of a value or of a named
 *   required group it belongs to that; `TOKEN/name` gives a token of its own another name;
 * - `...` behind an item repeats it, `....` repeats its token as well; `[key ...]` behind the same
 *   item means the same;
 * - `name:type`, `name#1` (the key specification it belongs to), `name(shown)`, `name@1.2.3`
 *   (since), `name@-1.2.3` (deprecated since).
 */

export interface DocsArgument {
  readonly name: string;
  readonly type: string;
  readonly displayText?: string;
  readonly keySpecIndex?: number;
  readonly token?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly flags: readonly ("optional" | "multiple" | "multiple_token")[];
  readonly arguments?: readonly DocsArgument[];
}

/** What names imply where no type is written: everything else is a string. */
const typesByName: ReadonlyMap<string, string> = new Map(
  Object.entries({
    key: "key destination source keys key1 key2 storekey storedistkey destkey sourcekey newkey dst src",
    pattern: "pattern by-pattern get-pattern",
    double: "longitude latitude radius width height timeout score",
    integer:
      "count offset milliseconds client-id decrement start end stop numkeys weight numreplicas " +
      "port destination-db cursor slot start-slot end-slot config-epoch cluster-bus-port seconds " +
      "protover increment index index1 index2 bits limit rank num-matches len min-match-len " +
      "entries-read entriesread entries-added version numlocal ttl frequency ms bit db",
    "unix-time": "unix-time-milliseconds unix-time-seconds",
  }).flatMap(([type, names]) => names.split(" ").map((name): [string, string] => [name, type])),
);

const lexeme =
  /\s*('[^']*'|\.{3,4}|[[\]{}|]|[^\s[\]{}|'.@#:/()]+|@[-.\d]*\d|[#:/][^\s[\]{}|.@#:()]+|\([^)]*\)|\S)/gy;
const tokenWord = /^([A-Z][A-Z0-9_-]*|'.*'|[=~*$])$/;

interface Draft {
  name: string;
  type: string;
  displayText?: string;
  keySpecIndex?: number | undefined;
  token?: string;
  since?: string;
  deprecatedSince?: string;
  optional: boolean;
  multiple: boolean;
  multipleToken: boolean;
  arguments?: Draft[];
}

export function docsArguments(syntax: string): readonly DocsArgument[] {
  const parser = new Parser(syntax.match(lexeme) ?? []);
  return parser.sequence("").map(finished);
}

class Parser {
  readonly #words: readonly string[];
  /** Whether a blank stands in front of each word: `name[` is a group's name, `name [` is not. */
  readonly #isSpaced: readonly boolean[];
  #at = 0;
  #nextKeySpec = 0;

  constructor(lexemes: readonly string[]) {
    this.#words = lexemes.map((word) => word.trim());
    this.#isSpaced = lexemes.map((word) => /^\s/.test(word));
  }

  get #word(): string {
    return this.#words[this.#at] ?? "";
  }

  #take(): string {
    const word = this.#word;
    this.#at += 1;
    return word;
  }

  /** Items up to the end, `}`, `]` or `|`, whichever closes what the caller opened. */
  sequence(close: string): Draft[] {
    const items: Draft[] = [];
    while (this.#word !== "" && this.#word !== close && this.#word !== "|") {
      if (this.#word === "...") {
        this.#take();
        const last = items.at(-1);
        if (last !== undefined) last.multiple = true;
        continue;
      }
      const item = this.#item();
      const last = items.at(-1);
      // `key [key ...]`: the repetition is the item itself again.
      if (last !== undefined && item.multiple && item.optional && isSame(last, item)) {
        last.multiple = true;
        if (item.token !== undefined) last.multipleToken = true;
        if (item.type === "key") this.#nextKeySpec -= 1;
      } else items.push(item);
    }
    return items;
  }

  #item(): Draft {
    const word = this.#word;
    if (word === "[" || word === "{") return this.#repeated(this.#group(""));
    if (!tokenWord.test(word)) return this.#repeated(this.#value());
    const token = this.#take().replaceAll("'", "");
    const next = this.#word;
    const ownName = next.startsWith("/");
    const isAlone = ownName || next === "" || /^[[\]|@(]|^\.{3,4}$/.test(next) || next === "}";
    if (!isAlone && !tokenWord.test(next)) {
      const value = next === "{" ? this.#group("") : this.#value();
      return this.#repeated({ ...value, token });
    }
    const name = ownName ? this.#take().slice(1) : token.toLowerCase();
    const draft: Draft = { ...plain(name, "pure-token"), token, displayText: name };
    this.#suffixes(draft);
    return this.#repeated(draft);
  }

  /** A value, or a named group. */
  #value(): Draft {
    const name = this.#take();
    const draft = plain(name, typesByName.get(name) ?? "string");
    let explicit: string | undefined;
    if (this.#word.startsWith(":")) explicit = this.#take().slice(1);
    this.#suffixes(draft);
    const opens = this.#word === "[" || this.#word === "{";
    if (opens && this.#isSpaced[this.#at] !== true) {
      const group = this.#group(name);
      if (explicit !== undefined) group.type = explicit;
      if (draft.since !== undefined) group.since = draft.since;
      if (draft.deprecatedSince !== undefined) group.deprecatedSince = draft.deprecatedSince;
      return group;
    }
    if (explicit !== undefined) draft.type = explicit;
    draft.displayText ??= name;
    if (draft.type === "key" && !("keySpecIndex" in draft)) {
      draft.keySpecIndex = this.#nextKeySpec;
      this.#nextKeySpec += 1;
    }
    return draft;
  }

  #suffixes(draft: Draft): void {
    for (;;) {
      const word = this.#word;
      if (word.startsWith("@-")) draft.deprecatedSince = this.#take().slice(2);
      else if (word.startsWith("@")) draft.since = this.#take().slice(1);
      else if (word.startsWith("#")) {
        const index = this.#take().slice(1);
        draft.keySpecIndex = index === "-" ? undefined : Number(index);
      } else if (word.startsWith("(") && word.length > 1) {
        draft.displayText = this.#take().slice(1, -1);
      } else return;
    }
  }

  #group(name: string): Draft {
    const optional = this.#take() === "[";
    const close = optional ? "]" : "}";
    const alternatives: Draft[][] = [];
    do {
      if (this.#word === "|") this.#take();
      alternatives.push(this.sequence(close));
    } while (this.#word === "|");
    this.#take();
    const [only = []] = alternatives;
    if (alternatives.length === 1) {
      const [first] = only;
      if (name === "" && only.length === 1 && first !== undefined) {
        return { ...first, optional: optional || first.optional };
      }
      const block = { ...plain(name || (first?.name ?? ""), "block"), arguments: only };
      return { ...block, optional };
    }
    const members = alternatives.map((each): Draft => {
      const [first] = each;
      if (each.length === 1 && first !== undefined) return first;
      return { ...plain(first?.name ?? "", "block"), arguments: each };
    });
    const oneOf = plain(name || (members[0]?.name ?? ""), "oneof");
    return { ...oneOf, arguments: members, optional };
  }

  #repeated(draft: Draft): Draft {
    if (this.#word !== "..." && this.#word !== "....") return draft;
    const multipleToken = this.#take() === "....";
    return { ...draft, multiple: true, multipleToken };
  }
}

function plain(name: string, type: string): Draft {
  return { name, type, optional: false, multiple: false, multipleToken: false };
}

function isSame(first: Draft, again: Draft): boolean {
  return first.name === again.name && first.type === again.type && first.token === again.token;
}

function finished(draft: Draft): DocsArgument {
  const { optional, multiple, multipleToken, arguments: members, keySpecIndex, ...rest } = draft;
  const flags: DocsArgument["flags"][number][] = [];
  if (optional) flags.push("optional");
  if (multiple) flags.push("multiple");
  if (multipleToken) flags.push("multiple_token");
  return {
    ...rest,
    flags,
    ...(keySpecIndex === undefined ? {} : { keySpecIndex }),
    ...(members === undefined ? {} : { arguments: members.map(finished) }),
  };
}
