import assert from "node:assert/strict";
import { test } from "node:test";
import { divergence, type HistorySpan, spanOfInfo } from "./divergence.js";

const none = "0".repeat(40);
const idOf = (digit: string): string => digit.repeat(40);

function span(digit: string, offset: number, second = "", secondOffset = -1): HistorySpan {
  return { id: idOf(digit), offset, secondId: second === "" ? none : idOf(second), secondOffset };
}

test("histories part where the one was left for the other, or where one ends", () => {
  const cases: readonly [HistorySpan, HistorySpan, number | undefined, string][] = [
    [span("a", 500), span("b", 900, "a", 401), 401, "it took over at 400, and we wrote on"],
    [span("a", 300), span("b", 900, "a", 401), 301, "it has all we have, and more"],
    [span("a", 300), span("a", 900), 301, "only late"],
    [span("x", 600, "a", 501), span("b", 900, "a", 401), 401, "we restarted after it took over"],
    [span("x", 600, "a", 351), span("b", 900, "a", 401), 351, "we lost more than it lacks"],
    [span("a", 300), span("c", 900, "b", 400), undefined, "it has forgotten our id"],
    [span("a", 300), span("b", 900), undefined, "no second id is no common one"],
  ];
  for (const [ours, theirs, expected, why] of cases) {
    assert.equal(divergence(ours, theirs), expected, why);
  }
});

test("what INFO replication says, and what does not say it", () => {
  const text =
    `role:master\r\nmaster_replid:${idOf("b")}\r\nmaster_replid2:${idOf("a")}\r\n` +
    "master_repl_offset:900\r\nsecond_repl_offset:401\r\n";
  assert.deepEqual(spanOfInfo(text), span("b", 900, "a", 401));
  assert.equal(spanOfInfo("role:master\r\n"), undefined);
  assert.equal(spanOfInfo("NOPERM"), undefined);
});
