import assert from "node:assert/strict";
import { it } from "node:test";
import { defaultCollectionLimits } from "../store/types/environment.js";
import { thresholdsOf } from "./thresholds.js";

const limits = { ...defaultCollectionLimits };

it("reads list-max-listpack-size as bytes below zero and as items above", () => {
  const of = (listMaxListpackSize: number): readonly [number, number] => {
    const { listNodeBytesMax, listNodeItemsMax } = thresholdsOf({ ...limits, listMaxListpackSize });
    return [listNodeBytesMax, listNodeItemsMax];
  };
  const unlimited = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(of(-1), [4096, unlimited]);
  assert.deepEqual(of(-2), [8192, unlimited]);
  assert.deepEqual(of(-5), [65536, unlimited]);
  assert.deepEqual(of(-7), [65536, unlimited]);
  assert.deepEqual(of(128), [8192, 128]);
  assert.deepEqual(of(0), [8192, 1]);
});

it("takes 0 for no limit where Redis does", () => {
  const thresholds = thresholdsOf({ ...limits, streamNodeMaxBytes: 0, streamNodeMaxEntries: 0 });
  assert.equal(thresholds.streamNodeBytesMax, Number.MAX_SAFE_INTEGER);
  assert.equal(thresholds.streamNodeEntriesMax, Number.MAX_SAFE_INTEGER);
  assert.equal(thresholds.hashListpackEntriesMax, limits.hashMaxListpackEntries);
});
