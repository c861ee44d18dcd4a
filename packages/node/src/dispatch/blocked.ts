/**
 * Clients that wait for keys (BLPOP, XREAD BLOCK…), and the keys that became ready for them.
 */
import type { CollectionType } from "../store/value.js";

export interface KeyWait {
  readonly keys: readonly string[];
  readonly type: CollectionType;
  /** Unix ms, 0 for never. */
  readonly timeoutAt: number;
  /** The words to run again once a key is ready. */
  readonly argv: readonly string[];
  /** Also when the key is deleted or gets another type (XREADGROUP). */
  readonly evenIfGone?: boolean;
}
