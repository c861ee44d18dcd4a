/**
 * Sorted-set scores as the decimal text in which packed encodings and the oldest format hold them.
 */

import { RdbError } from "./format.js";

export function parseScore(text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value) && text !== "") return value;
  const lower = text.toLowerCase();
  if (lower === "inf" || lower === "+inf") return Number.POSITIVE_INFINITY;
  if (lower === "-inf") return Number.NEGATIVE_INFINITY;
  throw new RdbError("corrupt", `a score of '${text.slice(0, 40)}'`);
}

/** The shortest text that reads back as the same double, in Redis' spelling of the infinities. */
export function formatScore(score: number): string {
  if (Object.is(score, -0)) return "-0";
  if (score === Number.POSITIVE_INFINITY) return "inf";
  if (score === Number.NEGATIVE_INFINITY) return "-inf";
  return String(score);
}
