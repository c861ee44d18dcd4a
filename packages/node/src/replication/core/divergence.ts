/**
 * Where two histories part. Each side is known by two ids: the one it is in, and the one it was in
 * before, up to an offset. Offsets count on from one to the next, so that they compare. No I/O.
 */

import { type HistoryPosition, noReplicationId, type ReplicationId } from "./history.js";

/** What a server tells of its history. */
export interface HistorySpan {
  readonly id: ReplicationId;
  readonly offset: number;
  readonly secondId: ReplicationId;
  /** First offset for which the second id is not valid; -1 without one. */
  readonly secondOffset: number;
}

/**
 * The first offset of our stream whose byte is not theirs; `offset + 1` if they have all we have,
 * `undefined` if nothing is known to be common.
 */
export function divergence(ours: HistorySpan, theirs: HistorySpan): number | undefined {
  let first: number | undefined;
  for (const [ourId, ourEnd] of spans(ours)) {
    for (const [theirId, theirEnd] of spans(theirs)) {
      if (ourId !== theirId) continue;
      first = Math.max(first ?? 0, Math.min(ourEnd, theirEnd));
    }
  }
  return first;
}

function spans(span: HistorySpan): (readonly [ReplicationId, number])[] {
  const now = [span.id, span.offset + 1] as const;
  const hasSecond = span.secondId !== noReplicationId && span.secondOffset > 0;
  return hasSecond ? [now, [span.secondId, span.secondOffset]] : [now];
}

/** The span that `INFO replication` tells, of any server that knows PSYNC2. */
export function spanOfInfo(text: string): HistorySpan | undefined {
  const field = (name: string): string =>
    new RegExp(`^${name}:(.*?)\r?$`, "m").exec(text)?.[1] ?? "";
  const id = field("master_replid");
  const secondId = field("master_replid2");
  const offset = Number(field("master_repl_offset") || Number.NaN);
  const secondOffset = Number(field("second_repl_offset") || -1);
  const isId = (word: string): boolean => /^[0-9a-f]{40}$/.test(word);
  if (!isId(id) || !isId(secondId) || !Number.isSafeInteger(offset)) return undefined;
  return { id, offset, secondId, secondOffset };
}

/** All that is known of a primary that may not be asked: where it is now. */
export function spanOfPosition(position: HistoryPosition | undefined): HistorySpan | undefined {
  if (position === undefined) return undefined;
  return { ...position, secondId: noReplicationId, secondOffset: -1 };
}
