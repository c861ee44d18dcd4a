/** Random commands that block, and those that make keys ready, for comparisons. */
import { Choices } from "./comparison.js";

type Words = readonly string[];
type Maker = (v: BlockingWords) => readonly Words[];

/** A client's number in a command: each side puts its own id there. */
export function clientMark(index: number): string {
  return `<client ${index}>`;
}

export class BlockingWords {
  readonly choices: Choices;
  /** At most one client waits: where several keys become ready at once, their order is open. */
  isCalm = true;
  readonly #clients: number;
  #lastId = 0;

  constructor(seed: number, clients: number) {
    this.choices = new Choices(seed);
    this.#clients = clients;
  }

  /** Mostly one that is not blocked: what the others say is held back. */
  speaker(isBlocked: (index: number) => boolean): number {
    for (let tries = 0; tries < 20; tries++) {
      const index = this.choices.below(this.#clients);
      if (!isBlocked(index) || this.choices.chance(0.01)) return index;
    }
    return this.choices.below(this.#clients);
  }

  /** What one client says, one after the other; somebody must be left to say something. */
  next(mayBlock: boolean): readonly Words[] {
    if (!mayBlock) return [this.change()];
    const total = makers.reduce((sum, [weight]) => sum + weight, 0);
    let draw = this.choices.below(total);
    for (const [weight, make] of makers) {
      draw -= weight;
      if (draw < 0) return make(this);
    }
    return [];
  }

  client(): string {
    return clientMark(this.choices.below(this.#clients));
  }

  /** Each type has keys of its own, so that not everything ends in WRONGTYPE. */
  key(usual: Words): string {
    return this.choices.of(this.choices.chance(0.1) ? ["l1", "l2", "z1", "z2", "x1"] : usual);
  }

  list(): string {
    return this.key(["l1", "l1", "l2"]);
  }

  zset(): string {
    return this.key(["z1", "z1", "z2"]);
  }

  stream(): string {
    return this.key(["x1", "x1", "x2"]);
  }

  any(): string {
    return this.key(["l1", "l2", "z1", "z2", "x1", "x2"]);
  }

  lists(): string[] {
    return Array.from({ length: this.choices.between(1, 3) }, () => this.list());
  }

  zsets(): string[] {
    return Array.from({ length: this.choices.between(1, 3) }, () => this.zset());
  }

  end(): string {
    return this.choices.of(["LEFT", "right"]);
  }

  values(): string[] {
    return Array.from({ length: this.choices.between(1, 3) }, () => `v${this.choices.below(99)}`);
  }

  members(): string[] {
    return this.values().flatMap((value) => [String(this.choices.below(9)), value]);
  }

  newId(): string {
    this.#lastId += 1;
    return `${this.#lastId}-1`;
  }

  /** One that changes something, for transactions. */
  change(): Words {
    return this.choices.of(changes)(this);
  }

  block(): Words {
    return this.choices.of(blocks)(this);
  }
}

const changes: readonly ((v: BlockingWords) => Words)[] = [
  (v) => ["LPUSH", v.list(), ...v.values()],
  (v) => ["RPUSH", v.list(), ...v.values()],
  (v) => ["ZADD", v.zset(), ...v.members()],
  (v) => ["XADD", v.stream(), v.newId(), "f", "v"],
  (v) => ["XADD", v.stream(), v.newId(), "f", "v"],
  (v) => ["XGROUP", "CREATE", v.stream(), "g", "$", "MKSTREAM"],
  (v) => ["XGROUP", "CREATE", v.stream(), "g", "$", "MKSTREAM"],
  (v) => ["XGROUP", "DESTROY", v.stream(), "g"],
  (v) => ["DEL", v.list(), v.zset()],
  (v) => ["DEL", v.list(), v.zset()],
  () => ["DEL", "l1", "l2", "z1", "z2"],
  (v) => ["DEL", v.stream()],
  (v) => ["SET", v.any(), "text"],
  (v) => ["RENAME", v.any(), v.any()],
  (v) => ["LMOVE", v.list(), v.list(), v.end(), v.end()],
  (v) => ["COPY", v.any(), v.any()],
  (v) => ["ZUNIONSTORE", v.zset(), "2", v.zset(), v.zset()],
  (v) => ["RPOP", v.list(), "9"],
  (v) => ["ZPOPMIN", v.zset(), "9"],
];

const blocks: readonly ((v: BlockingWords) => Words)[] = [
  (v) => ["BLPOP", ...v.lists(), "0"],
  (v) => ["BRPOP", ...v.lists(), "0"],
  (v) => ["BLMOVE", v.list(), v.list(), v.end(), v.end(), "0"],
  (v) => ["BRPOPLPUSH", v.list(), v.list(), "0"],
  (v) => ["BLMPOP", "0", "2", v.list(), v.list(), v.end(), "COUNT", v.choices.of(["1", "2", "9"])],
  (v) => ["BZPOPMIN", ...v.zsets(), "0"],
  (v) => ["BZPOPMAX", ...v.zsets(), "0"],
  (v) => ["BZMPOP", "0", "1", v.zset(), v.choices.of(["MIN", "max"])],
  (v) => ["XREAD", "BLOCK", "0", "STREAMS", v.stream(), "$"],
  (v) => ["XREAD", "COUNT", "1", "BLOCK", "0", "STREAMS", v.stream(), v.stream(), "$", "3-0"],
  (v) => ["XREADGROUP", "GROUP", "g", "c1", "BLOCK", "0", "STREAMS", v.stream(), ">"],
  (v) => ["XREADGROUP", "GROUP", "g", "c1", "BLOCK", "0", "STREAMS", v.stream(), ">"],
  (v) => [
    "XREADGROUP",
    "GROUP",
    "g",
    "c2",
    "COUNT",
    "1",
    "BLOCK",
    "0",
    "NOACK",
    "STREAMS",
    v.stream(),
    ">",
  ],
];

const makers: readonly (readonly [number, Maker])[] = [
  [40, (v) => [v.change()]],
  [40, (v) => [v.block()]],
  [5, (v) => [["MULTI"], v.change(), v.change(), ["EXEC"]]],
  [3, (v) => [["MULTI"], v.change(), v.block(), v.change(), ["EXEC"]]],
  [4, (v) => [["CLIENT", "UNBLOCK", v.client(), v.choices.of(["TIMEOUT", "error"])]]],
  [2, (v) => [v.isCalm ? ["FLUSHALL"] : v.change()]],
  [2, (v) => [v.isCalm ? ["SWAPDB", "0", "1"] : v.change()]],
  [1, (v) => [["SELECT", "1"], v.change(), ["SELECT", "0"]]],
  [2, (v) => [["LLEN", v.list()]]],
  [1, () => [["BLPOP", "l1", "-1"]]],
  [1, () => [["BLPOP", "l1", "x"]]],
  [1, () => [["BLMPOP", "0", "0", "l1", "LEFT"]]],
  [1, () => [["BZMPOP", "1e30", "1", "z1", "MIN"]]],
  [1, () => [["XREAD", "BLOCK", "-1", "STREAMS", "x1", "$"]]],
  [1, () => [["XREAD", "BLOCK", "1.5", "STREAMS", "x1", "$"]]],
];
