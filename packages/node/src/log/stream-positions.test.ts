import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StreamPositions } from "./stream-positions.js";

test("a write is reached where the log first was, what is durable where it last was", () => {
  const positions = new StreamPositions();
  positions.note(100, 1100);
  // A PING and a GETACK: the replication offset alone moves.
  positions.note(100, 1151);
  positions.note(180, 1231);
  assert.equal(positions.reachedBy(100), 1100);
  assert.equal(positions.coveredBy(100), 1151);
  assert.equal(positions.reachedBy(101), 1231);
  assert.equal(positions.coveredBy(179), 1151);
  assert.equal(positions.coveredBy(99), undefined);
  assert.equal(positions.reachedBy(181), undefined);
  assert.equal(positions.covers(180), true);
  assert.equal(positions.covers(181), false);
});

test("a new history forgets the offsets of the old one", () => {
  const positions = new StreamPositions();
  positions.note(100, 5000);
  positions.restart(120, 40);
  assert.equal(positions.coveredBy(119), undefined);
  assert.equal(positions.reachedBy(100), 40);
  assert.equal(positions.coveredBy(120), 40);
});

test("what was forgotten is answered on the safe side", () => {
  const turn = fc.record({ log: fc.nat(3), stream: fc.nat(3) });
  fc.assert(
    fc.property(
      fc.array(turn, { minLength: 6000, maxLength: 12_000, size: "max" }),
      fc.nat(),
      (turns, pick) => {
        const positions = new StreamPositions();
        const ends: [number, number][] = [];
        let log = 0;
        let stream = 0;
        for (const step of turns) {
          log += step.log;
          stream += step.log + step.stream;
          positions.note(log, stream);
          ends.push([log, stream]);
        }
        const at = pick % (log + 1);
        const reached = ends.find(([end]) => end >= at)?.[1] as number;
        const covered = ends.findLast(([end]) => end <= at)?.[1];
        assert.ok((positions.reachedBy(at) as number) >= reached);
        const answer = positions.coveredBy(at);
        assert.ok(answer === undefined || (covered !== undefined && answer <= covered));
        assert.equal(positions.coveredBy(log), stream);
      },
    ),
    { numRuns: 10 },
  );
});

test("whoever confirmed an offset has the log up to where it first was reached", () => {
  const positions = new StreamPositions();
  positions.note(100, 1100);
  positions.note(100, 1151);
  positions.note(180, 1231);
  assert.equal(positions.reachedAt(1099), undefined);
  assert.equal(positions.reachedAt(1100), 100);
  assert.equal(positions.reachedAt(1230), 100);
  assert.equal(positions.reachedAt(1231), 180);
  assert.equal(positions.reachedAt(-1), undefined);
});
