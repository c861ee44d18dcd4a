/**
 * Declarations from a node's own COMMAND reply: for commands that the router was not built with,
 * of modules, of other servers, of later versions. As exact as that reply is: where keys move, the
 * key specifications of Redis 7 are read, and a server without them leaves the node to decide.
 */
import type { CommandSource, DeclaredCommand } from "./catalog.js";

interface LearnedSpec {
  readonly flags: readonly string[];
  readonly begin: { readonly index: number } | { readonly keyword: string; readonly from: number };
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly countAt: number; readonly first: number; readonly step: number };
}

/** A command as a node described it. */
export interface LearnedCommand extends DeclaredCommand {
  readonly learned: readonly LearnedSpec[];
}

/** No server has this flag: it is how `Catalog` is told. */
export const refusedFlag = "router_refused";

export function isLearned(command: DeclaredCommand): command is LearnedCommand {
  return "learned" in command;
}

/** Wraps a source so that commands that were learned find their keys as well. */
export function withLearned(source: CommandSource): CommandSource {
  return {
    commands: source.commands,
    keyIndexes: (command, argv) =>
      isLearned(command) ? learnedKeys(command, argv) : source.keyIndexes(command, argv),
  };
}

export function declarationsOf(reply: unknown): DeclaredCommand[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((entry: unknown) => {
    const command = declarationOf(entry);
    return command === undefined ? [] : [command];
  });
}

function declarationOf(entry: unknown): LearnedCommand | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [name, arity, flags, first, last, step, categories, tips, specs, subcommands] =
    entry as unknown[];
  if (typeof name !== "string" || typeof arity !== "number") return undefined;
  const fullName = name.toLowerCase();
  // A command that changes its connection, under whatever name, would change it for others.
  const isOfConnection = texts(categories).includes("@connection");
  const words = [...texts(flags), ...(isOfConnection ? [refusedFlag] : [])];
  const learned = Array.isArray(specs) ? specs.flatMap(specOf) : [];
  const subs = Array.isArray(subcommands) ? declarationsOf(subcommands) : [];
  const movable = words.includes("movablekeys");
  return {
    fullName,
    arity,
    spec: { name: fullName.split("|").at(-1) ?? fullName, flags: words, tips: texts(tips) },
    keySpecs: learned,
    movable,
    firstKey: numberOf(first),
    lastKey: numberOf(last),
    keyStep: numberOf(step),
    subcommands: subs.length === 0 ? undefined : new Map(subs.map((sub) => [sub.spec.name, sub])),
    learned,
  };
}

function specOf(entry: unknown): LearnedSpec[] {
  const spec = fieldsOf(entry);
  const begin = fieldsOf(spec.get("begin_search"));
  const find = fieldsOf(spec.get("find_keys"));
  const beginSpec = fieldsOf(begin.get("spec"));
  const findSpec = fieldsOf(find.get("spec"));
  const at =
    begin.get("type") === "index"
      ? { index: numberOf(beginSpec.get("index")) }
      : begin.get("type") === "keyword"
        ? { keyword: String(beginSpec.get("keyword")), from: numberOf(beginSpec.get("startfrom")) }
        : undefined;
  const step = Math.max(1, numberOf(findSpec.get("keystep")));
  const found =
    find.get("type") === "range"
      ? { last: numberOf(findSpec.get("lastkey")), step, limit: numberOf(findSpec.get("limit")) }
      : find.get("type") === "keynum"
        ? {
            countAt: numberOf(findSpec.get("keynumidx")),
            first: numberOf(findSpec.get("firstkey")),
            step,
          }
        : undefined;
  if (at === undefined || found === undefined) return [];
  return [{ flags: texts(spec.get("flags")), begin: at, find: found }];
}

/** Key positions by the specifications; `undefined` if the words do not fit one. */
function learnedKeys(command: LearnedCommand, argv: readonly string[]): number[] | undefined {
  const found: number[] = [];
  for (const { flags, begin, find } of command.learned) {
    if (flags.includes("not_key")) continue;
    const at = "index" in begin ? begin.index : behindKeyword(argv, begin.keyword, begin.from);
    if (at < 0 || at >= argv.length) {
      if ("index" in begin) return undefined;
      continue;
    }
    let start = at;
    let last: number;
    if ("countAt" in find) {
      const count = Number(argv[at + find.countAt]);
      if (!Number.isSafeInteger(count) || count < 0) return undefined;
      start = at + find.first;
      last = start + (count - 1) * find.step;
    } else if (find.last >= 0) {
      last = at + find.last;
    } else if (find.limit <= 1) {
      last = argv.length + find.last;
    } else {
      last = at + Math.floor((argv.length - at) / find.limit) + find.last;
    }
    if (last >= argv.length) return undefined;
    for (let i = start; i <= last; i += find.step) found.push(i);
  }
  return found;
}

function behindKeyword(argv: readonly string[], keyword: string, from: number): number {
  const wanted = keyword.toLowerCase();
  const step = from > 0 ? 1 : -1;
  const first = from > 0 ? from : argv.length + from;
  for (let i = first; i > 0 && i < argv.length; i += step) {
    if (argv[i]?.toLowerCase() === wanted) return i + 1;
  }
  return -1;
}

/** A map as RESP2 gives it: names and values in turn. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>();
  if (!Array.isArray(value)) return fields;
  for (let i = 0; i + 1 < value.length; i += 2) fields.set(String(value[i]), value[i + 1]);
  return fields;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map((each) => String(each).toLowerCase()) : [];
}

function numberOf(value: unknown): number {
  const number = Number(value);
  return Number.isInteger(number) ? number : 0;
}
