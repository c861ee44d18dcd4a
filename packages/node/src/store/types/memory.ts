/** Estimates of what elements cost, for MEMORY USAGE, from a sample. */
import { type Element, elementBytes } from "./element.js";

/** Bytes per entry of `width` elements, on average over a sample of whole entries. */
export function averageBytes(sample: readonly Element[], width: number): number {
  if (sample.length === 0) return 0;
  let bytes = 0;
  for (const element of sample) bytes += elementBytes(element);
  return (bytes * width) / sample.length;
}
