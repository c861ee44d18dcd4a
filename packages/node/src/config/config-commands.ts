/**
 * CONFIG GET and CONFIG SET as functions from words to an answer. The command's body does the
 * rest: it reads the words from the client and writes the reply.
 */

import { globMatch } from "../store/glob.js";
import type { Configuration, Saved } from "./config.js";
import { Refusal } from "./directive.js";
import { type Entry, entries, findEntry } from "./directives/index.js";

export interface ConfigSetContext {
  /** The data set is being loaded: some directives must wait. */
  readonly loading: boolean;
  /** The client is on this machine (loopback or unix socket). */
  readonly localClient: boolean;
}

/**
 * Names and values in turn. A word without `*`, `?` and `[` is a name and comes back as it was
 * written; patterns do not find hidden directives; nothing is listed twice.
 */
export function configGet(config: Configuration, patterns: readonly string[]): string[] {
  const found = new Map<string, [name: string, value: string]>();
  const add = (entry: Entry, name: string): void => {
    if (!found.has(entry.name)) found.set(entry.name, [name, config.textOf(entry.directive)]);
  };
  for (const pattern of patterns) {
    if (!/[[*?]/.test(pattern)) {
      const entry = findEntry(pattern);
      if (entry !== undefined) add(entry, pattern);
      continue;
    }
    for (const entry of entries) {
      if (entry.directive.hidden === true) continue;
      if (globMatch(pattern, entry.name, true)) add(entry, entry.name);
    }
  }
  return [...found.values()].flat();
}

/**
 * Sets all pairs or none. Returns the error reply (without its `-`), or `undefined` if all is done
 * and everybody who listens has been told.
 */
export function configSet(
  config: Configuration,
  pairs: readonly string[],
  context: ConfigSetContext,
): string | undefined {
  if (pairs.length % 2 === 1) return "ERR syntax error";
  const plan = plannedChanges(config, pairs, context);
  if (typeof plan === "string") return plan;

  const before = plan.map((change) => config.saved(change.entry));
  const changed: Entry[] = [];
  for (const [i, change] of plan.entries()) {
    const words = change.entry.directive.multi ? splitAtBlanks(change.value) : [change.value];
    const outcome = config.read(change.entry, words, { loading: false, firstMention: false });
    if (outcome instanceof Refusal) {
      restoreAll(config, before.slice(0, i + 1));
      return failed(change.entry.name, outcome.reason);
    }
    if (outcome === "changed") changed.push(change.entry);
  }

  const failure = applyAll(config, changed, before);
  if (failure !== undefined) return failure;
  for (const entry of changed) config.announce(entry);
  return undefined;
}

/** Which of CONFIG SET's words must not appear in the slow log, MONITOR or a log line. */
export function sensitiveWords(pairs: readonly string[]): number[] {
  const found: number[] = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    if (findEntry(pairs[i]!)?.directive.sensitive === true) found.push(i + 1);
  }
  return found;
}

interface Change {
  readonly entry: Entry;
  readonly value: string;
}

function plannedChanges(
  config: Configuration,
  pairs: readonly string[],
  context: ConfigSetContext,
): readonly Change[] | string {
  const plan: Change[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!;
    const entry = findEntry(name);
    if (entry === undefined) {
      return `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
    }
    const { directive } = entry;
    if (directive.immutable === true) return failed(name, "can't set immutable config");
    if (directive.guarded === true && !mayChangeGuarded(config, context)) {
      return failed(name, "can't set protected config");
    }
    if (context.loading && directive.denyLoading === true) {
      return "LOADING Redis is loading the dataset in memory";
    }
    // An older name beside the newer one is no duplicate, as in Redis: the later one wins.
    if (plan.some((each) => each.entry === entry)) return failed(name, "duplicate parameter");
    plan.push({ entry, value: pairs[i + 1]! });
  }
  return plan;
}

function mayChangeGuarded(config: Configuration, context: ConfigSetContext): boolean {
  const allowed = config.values.enableProtectedConfigs;
  return allowed === "yes" || (allowed === "local" && context.localClient);
}

/** Redis splits at each single blank here, without quotes: two blanks make an empty word. */
function splitAtBlanks(value: string): string[] {
  return value === "" ? [] : value.split(" ");
}

/** Puts changes into effect, each distinct function once; on a failure all values go back. */
function applyAll(
  config: Configuration,
  changed: readonly Entry[],
  before: readonly Saved[],
): string | undefined {
  const done: (() => string | undefined)[] = [];
  for (const entry of changed) {
    const apply = config.applyOf(entry);
    if (apply === undefined || done.includes(apply)) continue;
    done.push(apply);
    const reason = apply();
    if (reason === undefined) continue;
    restoreAll(config, before);
    for (const each of done) each();
    return failed(entry.name, reason);
  }
  return undefined;
}

function restoreAll(config: Configuration, saved: readonly Saved[]): void {
  for (const each of saved) config.restore(each);
}

function failed(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}
