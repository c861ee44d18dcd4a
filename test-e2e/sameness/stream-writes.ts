// Random writes of streams and their consumer groups, for the sameness test. History is not read
// again: how often it was is counted by Redis and by us, but told to no replica and no file.

import type { Vocabulary, Words } from "./words.js";

type Maker = (v: Vocabulary) => Words;

const readGroup: Maker = (v) => {
  const keys = v.keys("stream");
  const noAck = v.dice.chance(5) ? ["NOACK"] : [];
  const head = ["XREADGROUP", "GROUP", v.group(), v.consumer(), "COUNT", v.count(), ...noAck];
  return [...head, "STREAMS", ...keys, ...keys.map(() => ">")];
};

const claim: Maker = (v) => {
  const ids = v.dice.some(1, 4, () => v.streamId());
  const options = v.dice.pick([
    [],
    ["FORCE"],
    ["JUSTID"],
    ["IDLE", "5000", "RETRYCOUNT", "7"],
    ["TIME", String(Date.now() - 60_000), "FORCE"],
    ["LASTID", v.streamId()],
  ]);
  return ["XCLAIM", v.key("stream"), v.group(), v.consumer(), "0", ...ids, ...options];
};

const add: Maker = (v) => {
  const pairs = v.dice.some(1, 3, () => [`f${v.dice.below(3)}`, v.value()]).flat();
  const trim = v.dice.chance(6) ? v.trim() : [];
  const noStream = v.dice.chance(20) ? ["NOMKSTREAM"] : [];
  const id = v.dice.pick([v.streamId(), `${v.dice.below(400)}-*`]);
  return ["XADD", v.key("stream"), ...noStream, ...trim, id, ...pairs];
};

/** With small steps, so that the ids that others name may be there. */
const addNext: Maker = (v) => ["XADD", `stream:${v.dice.below(3)}`, "*", "f", v.value()];

export const streamWrites: readonly Maker[] = [
  add,
  add,
  add,
  addNext,
  readGroup,
  readGroup,
  readGroup,
  claim,
  (v) => [
    ...["XAUTOCLAIM", v.key("stream"), v.group(), v.consumer(), "0", "-"],
    ...["COUNT", "5", ...v.maybe(["JUSTID"])],
  ],
  (v) => ["XACK", v.key("stream"), v.group(), ...v.dice.some(1, 4, () => v.streamId())],
  (v) => ["XDEL", v.key("stream"), ...v.dice.some(1, 4, () => v.streamId())],
  (v) => ["XTRIM", v.key("stream"), ...v.trim()],
  (v) => [
    ...["XGROUP", "CREATE", v.key("stream"), v.group(), v.dice.pick(["0", "$", v.streamId()])],
    "MKSTREAM",
  ],
  (v) => [
    ...["XGROUP", "SETID", v.key("stream"), v.group(), v.streamId()],
    ...v.maybe(["ENTRIESREAD", String(v.dice.below(50))]),
  ],
  (v) => ["XGROUP", "CREATECONSUMER", v.key("stream"), v.group(), v.consumer()],
  (v) => (v.dice.chance(4) ? ["XGROUP", "DELCONSUMER", v.key("stream"), v.group(), "c3"] : add(v)),
  (v) => (v.dice.chance(6) ? ["XGROUP", "DESTROY", v.key("stream"), v.group()] : add(v)),
  (v) =>
    v.dice.chance(6)
      ? [
          ...["XSETID", v.key("stream"), `${400 + v.dice.below(9)}-0`],
          ...["ENTRIESADDED", "999", "MAXDELETEDID", "1-1"],
        ]
      : add(v),
];
