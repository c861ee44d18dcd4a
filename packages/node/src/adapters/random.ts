/** The `Random` port on the operating system's generator, read in blocks. */
import { randomFillSync } from "node:crypto";
import type { Random } from "../ports.js";

/** One system call serves this many draws. */
const poolWords = 1024;

export function systemRandom(): Random {
  const pool = new Uint32Array(poolWords);
  let next = poolWords;
  return {
    uint32: () => {
      if (next === poolWords) {
        randomFillSync(pool);
        next = 0;
      }
      return pool[next++] as number;
    },
    bytes: (length) => randomFillSync(new Uint8Array(length)),
  };
}
