/** Several nodes' replies that become one: collected in the order of the parts, then merged. */
import type { ReplyOwner, Request } from "./request.js";

export class Gather implements ReplyOwner {
  readonly takesRedirects = false;
  readonly #replies: Buffer[];
  readonly #onAll: (replies: readonly Buffer[]) => void;
  #missing: number;

  /** `onAll` is called once, with a reply for each part. */
  constructor(parts: number, onAll: (replies: readonly Buffer[]) => void) {
    this.#replies = Array.from({ length: parts }, () => Buffer.alloc(0));
    this.#missing = parts;
    this.#onAll = onAll;
  }

  onReply(request: Request, reply: Buffer): void {
    this.#replies[request.part] = reply;
    this.#missing--;
    if (this.#missing === 0) this.#onAll(this.#replies);
  }
}
