/**
 * Which arguments of a command line are keys, from the command's key specifications. Serves
 * routing, `COMMAND GETKEYS`, and whatever else asks; the hot path of single-range commands does
 * not come here (see `dispatch/route.ts`).
 */
import type { Command } from "./registry.js";
import type { KeyFlag, KeySpec } from "./spec.js";

export interface KeyPosition {
  readonly index: number;
  readonly flags: readonly KeyFlag[];
}

function beginIndex(spec: KeySpec, argv: readonly string[]): number {
  const { begin } = spec;
  switch (begin.type) {
    case "index":
      return begin.index;
    case "keyword": {
      const from = begin.startFrom > 0 ? begin.startFrom : argv.length + begin.startFrom;
      const stop = begin.startFrom > 0 ? argv.length : 0;
      const direction = begin.startFrom > 0 ? 1 : -1;
      for (let i = from; direction > 0 ? i < stop : i > stop; i += direction) {
        if (argv[i]?.toLowerCase() === begin.keyword.toLowerCase()) return i + 1;
      }
      return -1;
    }
    case "unknown":
      return -1;
  }
}

/** Appends the positions that one specification covers; false if the words do not fit it. */
function positionsOf(spec: KeySpec, argv: readonly string[], into: KeyPosition[]): boolean {
  const first = beginIndex(spec, argv);
  if (spec.begin.type === "unknown" || spec.find.type === "unknown") return false;
  if (first < 0 || first >= argv.length) return spec.begin.type === "keyword";
  const { find } = spec;
  let start = first;
  let last: number;
  let step: number;
  if (find.type === "range") {
    step = find.step;
    if (find.last >= 0) last = first + find.last;
    else if (find.limit <= 1) last = argv.length + find.last;
    else last = first + Math.floor((argv.length - first) / find.limit) + find.last;
  } else {
    step = find.step;
    const count = Number(argv[first + find.index]);
    if (!Number.isSafeInteger(count) || count < 0) return false;
    start = first + find.first;
    last = start + (count - 1) * step;
  }
  if (last >= argv.length) return false;
  for (let i = start; i <= last; i += step) into.push({ index: i, flags: spec.flags });
  return true;
}

/** All key positions, in the order of the specifications; `undefined` if the words do not fit. */
export function keyPositions(
  command: Command,
  argv: readonly string[],
): readonly KeyPosition[] | undefined {
  const found: KeyPosition[] = [];
  const byHand = command.spec.findKeys?.(argv);
  if (byHand !== undefined) {
    // The first one is what the command reads; what it also names, it writes.
    const first = command.keySpecs[0]?.flags ?? [];
    const last = command.keySpecs.at(-1)?.flags ?? [];
    // The specification alone would not find them all; this did.
    const others = last.filter((flag) => flag !== "incomplete");
    return byHand.map((index, i) => ({ index, flags: i === 0 ? first : others }));
  }
  for (const spec of command.keySpecs) {
    if (spec.flags.includes("not_key")) continue;
    if (!positionsOf(spec, argv, found)) return undefined;
  }
  const variable = command.spec.keyFlags;
  if (variable === undefined) return found;
  const flags = variable(argv);
  return found.map((key) =>
    key.flags.includes("variable_flags") ? { index: key.index, flags } : key,
  );
}
