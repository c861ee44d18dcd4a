/**
 * The slow log: the last commands that took long, newest first. It keeps copies that are cut to a
 * bounded size; redacting passwords is the caller's, which knows the command.
 */

/** Redis' bounds: arguments kept of one command, characters kept of one argument. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_CHARACTERS_MAX = 128;

export interface SlowLogEntry {
  readonly id: number;
  readonly unixSeconds: number;
  readonly microseconds: number;
  readonly argv: readonly string[];
  readonly clientAddress: string;
  readonly clientName: string;
}

export class SlowLog {
  /** A command that takes at least so long is kept; infinite if none is. */
  thresholdMs = 10;
  #lengthMax = 128;
  #nextId = 0;
  /** Newest last. Cut by a quarter beyond its length at a time, so that each entry moves rarely. */
  #entries: SlowLogEntry[] = [];

  /** Takes the directives' values: microseconds (negative: off) and number of entries. */
  configure(options: { readonly slowerThan: number; readonly lengthMax: number }): void {
    this.thresholdMs =
      options.slowerThan < 0 ? Number.POSITIVE_INFINITY : options.slowerThan / 1000;
    this.#lengthMax = options.lengthMax;
    if (this.#entries.length > this.#lengthMax) this.#trim();
  }

  get length(): number {
    return Math.min(this.#entries.length, this.#lengthMax);
  }

  add(entry: Omit<SlowLogEntry, "id">): void {
    const argv = shortened(entry.argv);
    this.#entries.push({ ...entry, argv, id: this.#nextId });
    this.#nextId += 1;
    if (this.#entries.length > this.#lengthMax * 1.25) this.#trim();
  }

  /** Up to `count` entries, newest first; a negative count means all. */
  latest(count: number): SlowLogEntry[] {
    const kept = count < 0 ? this.length : Math.min(count, this.length);
    return kept === 0 ? [] : this.#entries.slice(-kept).reverse();
  }

  /** Ids go on: monitors tell by them what they have seen. */
  reset(): void {
    this.#entries = [];
  }

  #trim(): void {
    this.#entries = this.#lengthMax === 0 ? [] : this.#entries.slice(-this.#lengthMax);
  }
}

function shortened(argv: readonly string[]): string[] {
  const tooMany = argv.length > ARGUMENTS_MAX;
  const kept = tooMany ? argv.slice(0, ARGUMENTS_MAX - 1) : argv;
  const words = kept.map((word) => {
    const rest = word.length - ARGUMENT_CHARACTERS_MAX;
    return rest > 0 ? `${copyOfStart(word)}... (${rest} more bytes)` : word;
  });
  if (tooMany) words.push(`... (${argv.length - ARGUMENTS_MAX + 1} more arguments)`);
  return words;
}

/** A plain `slice` would keep the whole long argument in memory behind its first characters. */
function copyOfStart(word: string): string {
  return Buffer.from(word.slice(0, ARGUMENT_CHARACTERS_MAX), "latin1").toString("latin1");
}
