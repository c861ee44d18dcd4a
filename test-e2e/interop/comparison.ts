// Compares the replies of one scenario step by step and describes what differs.

import { equalReplies } from "./compare.js";
import { isOurs } from "../harness/server.js";
import { type KnownDifference, knownDifferences, type Reply } from "./known-differences.js";
import type { Scenario } from "./scenario.js";

export interface Played {
  readonly scenario: Scenario;
  readonly protocol: 2 | 3;
  readonly ours: readonly Buffer[];
  readonly theirs: readonly Buffer[];
  /** Told the id of each known difference that was met. */
  readonly onKnown: (id: string) => void;
}

const shownMax = 30;

export function compareReplies({ scenario, protocol, ours, theirs, onKnown }: Played): string[] {
  const differences: string[] = [];
  for (const [index, step] of scenario.steps.entries()) {
    const our = ours[index] ?? Buffer.alloc(0);
    const their = theirs[index] ?? Buffer.alloc(0);
    if (equalReplies(step.mode, our, their)) continue;
    const reply: Reply = {
      line: step.line,
      scenario: scenario.name,
      protocol,
      ours: our.toString("latin1"),
      theirs: their.toString("latin1"),
    };
    const known = knownDifferences.find((difference) => difference.matches(reply));
    if (known === undefined) differences.push(describe(reply));
    else onKnown(known.id);
  }
  const hidden = differences.length - shownMax;
  return hidden <= 0
    ? differences
    : [...differences.slice(0, shownMax), `... and ${hidden} more differences`];
}

/**
 * Differences that are excused but gone. With another server in our place or in that of Debian's
 * 7.0.15, which they are about, none need be there.
 */
export function unmet(where: KnownDifference["where"], met: ReadonlySet<string>): string[] {
  if (!isOurs() || process.env["REDIS_SERVER"] !== undefined) return [];
  const here = knownDifferences.filter((difference) => difference.where === where);
  return here.map(({ id }) => id).filter((id) => !met.has(id));
}

function describe({ line, ours, theirs }: Reply): string {
  return `${line}\n    ours   ${show(ours)}\n    theirs ${show(theirs)}`;
}

function show(text: string): string {
  const shown = JSON.stringify(text);
  return shown.length > 400 ? `${shown.slice(0, 400)}... (${text.length} bytes)` : shown;
}
