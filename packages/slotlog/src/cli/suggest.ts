// "Did you mean ...?" for a mistyped command or flag.

import leven from "leven";

/**
 * The known word nearest to `typed`, unless it is so far off that naming it would only confuse: a
 * third of its letters may be wrong, which finds `--prot` for `--port` but nothing for `--x`.
 */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const distance = leven(typed.toLowerCase(), word.toLowerCase());
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  const allowed = Math.max(2, Math.floor(typed.length / 3));
  return bestDistance <= allowed && bestDistance < typed.length ? best : undefined;
}
