// Whether a node in this process runs, stands still or is dead. Everything that reaches the node
// from outside (a timer, a packet, a finished disk operation) passes through here, so that a test
// can do to a node what signals do to a process: SIGSTOP, SIGCONT and SIGKILL.

export class Life {
  #state: "runs" | "stands" | "dead" = "runs";
  #waiting: (() => void)[] = [];
  /** Operations that the kernel works on; a dead node's must end before its files are anyone's. */
  #underWay = 0;
  #onSettled: (() => void) | undefined;

  get runs(): boolean {
    return this.#state === "runs";
  }

  get dead(): boolean {
    return this.#state === "dead";
  }

  /** Runs an input of the node: now, once it goes on, or never. */
  run(input: () => void): void {
    if (this.#state === "runs") input();
    else if (this.#state === "stands") this.#waiting.push(input);
  }

  freeze(): void {
    if (this.#state === "runs") this.#state = "stands";
  }

  /** What has come up meanwhile happens now, in the order in which it came. */
  thaw(): void {
    if (this.#state !== "stands") return;
    this.#state = "runs";
    while (this.runs) {
      const input = this.#waiting.shift();
      if (input === undefined) break;
      input();
    }
  }

  /** Nothing reaches the node any more. Resolves when nothing of it is under way. */
  async kill(): Promise<void> {
    this.#state = "dead";
    this.#waiting = [];
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
  }

  /** An operation whose end is an input: of a dead node it never ends, as far as the node sees. */
  watch<T>(operation: Promise<T>): Promise<T> {
    this.#underWay += 1;
    return new Promise((resolve, reject) => {
      operation.then(
        (value) => {
          this.#ended();
          this.run(() => resolve(value));
        },
        (error: unknown) => {
          this.#ended();
          this.run(() => reject(error));
        },
      );
    });
  }

  #ended(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onSettled?.();
  }
}
