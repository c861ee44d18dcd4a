/**
 * One client of the disk-fault run and what it may believe: every value it sends is a new one, so
 * that afterwards one can say of each whether it must be there, may be there, or must not.
 *
 * RPUSH and INCR are not idempotent: a record that is applied twice or left out shows in them. A
 * lane of the third kind changes its list and its counter in one transaction.
 */
import assert from "node:assert/strict";
import { type SimClient, replyText } from "../sim-server.js";

/**
 * `refused`: surely not done. `unsure`: done in memory, and the reply said that it is not on disk,
 * or there was no reply.
 */
type Fate = "acknowledged" | "unsure" | "refused";

export type LaneKind = "list" | "counter" | "both";

const kinds: readonly LaneKind[] = ["list", "counter", "both"];

interface Step {
  readonly value: number;
  fate: Fate;
  /** The log stream's offset when the acknowledgement came: the record ends there or before. */
  offset: number;
}

/** A step whose replies have not all come; the last of them decides. */
interface Pending {
  readonly step: Step;
  replies: number;
}

/** What a server holds of one lane. */
export interface LaneContents {
  readonly list: readonly number[];
  readonly count: number;
}

/** The words of a MISCONF that speak of a command that has run. */
const applied = "it is not on disk";

export class Lane {
  readonly kind: LaneKind;
  readonly name: string;
  readonly #client: SimClient;
  /** In the order in which they were sent. */
  readonly #steps: Step[];
  readonly #pending: Pending[] = [];
  #repliesSeen = 0;

  /** `before` is what the server holds of it already. */
  constructor(number: number, client: SimClient, before: LaneContents) {
    this.kind = kinds[number % kinds.length] as LaneKind;
    this.name = String(number);
    this.#client = client;
    const values = this.kind === "counter" ? Array(before.count).fill(0) : before.list;
    this.#steps = values.map((value: number) => ({ value, fate: "acknowledged", offset: 0 }));
  }

  get acknowledged(): number {
    return this.#steps.filter(({ fate }) => fate === "acknowledged").length;
  }

  send(value: number): void {
    const { kind, name } = this;
    const step: Step = { value, fate: "unsure", offset: 0 };
    this.#steps.push(step);
    if (kind === "both") this.#client.send("MULTI");
    if (kind !== "counter") this.#client.send("RPUSH", `list${name}`, String(value));
    if (kind !== "list") this.#client.send("INCR", `count${name}`);
    if (kind === "both") this.#client.send("EXEC");
    this.#pending.push({ step, replies: kind === "both" ? 4 : 1 });
  }

  /** Takes the replies that have come; `offset` is where the log stream stands now. */
  collect(offset: number): void {
    const { replies } = this.#client;
    for (; this.#repliesSeen < replies.length; this.#repliesSeen += 1) {
      const [pending] = this.#pending;
      assert.ok(pending !== undefined, "a reply to nothing");
      pending.replies -= 1;
      if (pending.replies > 0) continue;
      this.#pending.shift();
      const text = replyText(replies[this.#repliesSeen]);
      if (!text.startsWith("-")) pending.step.fate = "acknowledged";
      else if (!text.includes(applied)) pending.step.fate = "refused";
      pending.step.offset = offset;
    }
  }

  /**
   * What is found after a restart: a beginning of what was sent, each value once, and at least all
   * that `isPromised`.
   */
  check(found: LaneContents, isPromised: (acknowledgedAt: number) => boolean): void {
    const { kind, name } = this;
    const possible = this.#steps.filter(({ fate }) => fate !== "refused");
    const length = kind === "counter" ? found.count : found.list.length;
    assert.ok(length <= possible.length, `lane ${name} has ${length} of ${possible.length} steps`);
    if (kind !== "counter") {
      const expected = possible.slice(0, length).map(({ value }) => value);
      const sent = this.#steps.map(({ value, fate }) => `${value} ${fate}`).join(", ");
      const what = `lane ${name} is no beginning of what was sent: found ${found.list.join(" ")}`;
      assert.ok(expected.join() === found.list.join(), `${what} of ${sent}`);
    }
    if (kind === "both") assert.equal(found.count, length, `lane ${name}: half a transaction`);
    const lost = possible
      .slice(length)
      .find(({ fate, offset }) => fate === "acknowledged" && isPromised(offset));
    assert.equal(lost, undefined, `lane ${name} lost a promised step`);
  }
}
