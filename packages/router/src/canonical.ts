/**
 * Whether a request's bytes are exactly what an encoder would write. Nodes are lax in different
 * ways, and bytes that one of them reads otherwise than we did would, on a connection that clients
 * share, become a command nobody sent. So only canonical bytes are passed on as they are.
 */
import type { Argument } from "@slotlog/resp";

/** `[start, end)` of `bytes` holds the command `argv`, as its decoder said. */
export function isCanonical(
  bytes: Buffer,
  start: number,
  end: number,
  argv: readonly Argument[],
): boolean {
  let p = headerEnd(bytes, start, argv.length);
  for (let i = 0; i < argv.length && p > 0; i++) {
    const { length } = argv[i] as Argument;
    p = headerEnd(bytes, p, length);
    if (p < 0) return false;
    p += length;
    if (bytes[p] !== 0x0d || bytes[p + 1] !== 0x0a) return false;
    p += 2;
  }
  return p === end;
}

/** Behind a header whose digits are those of `value`; -1 if it is not that. */
function headerEnd(bytes: Buffer, start: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
  const p = start + 1 + digits;
  // The decoder read this very value, so only zeros in front could make its digits more.
  return bytes[p] === 0x0d && bytes[p + 1] === 0x0a ? p + 2 : -1;
}
