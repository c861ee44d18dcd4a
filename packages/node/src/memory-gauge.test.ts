import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { emptyBytes, heapCeiling, MemoryGauge } from "./memory-gauge.js";
import type { ProcessInfo } from "./process-info.js";
import { MemoryTally } from "./store/memory-tally.js";
import { processInfo } from "./testing/command-harness.js";

const mebibyte = 1024 ** 2;
const program = 20 * mebibyte;

/** A gauge over a heap whose bytes a test sets. */
function setUp(heapLimit = 4144 * mebibyte) {
  const state = { used: program, maxmemory: 0, clients: 0, replicas: 0, idle: 0 };
  let listener: ((bytes: number) => void) | undefined;
  const process: ProcessInfo = {
    ...processInfo,
    heapLimit,
    usedMemory: () => state.used,
    onMajorCollection: (given) => {
      listener = given;
      return () => {
        listener = undefined;
      };
    },
  };
  const tally = new MemoryTally();
  const gauge = new MemoryGauge({
    process,
    tally,
    maxmemory: () => state.maxmemory,
    buffers: () => ({
      normalClients: state.clients,
      backlog: 0,
      replicaClients: state.replicas,
      aof: 0,
    }),
    idleBytes: () => state.idle,
  });
  gauge.start();
  const collect = (bytes: number): void => {
    state.used = bytes;
    listener?.(bytes);
    gauge.refresh();
  };
  return { collect, gauge, state, tally, isListening: () => listener !== undefined };
}

describe("MemoryGauge", () => {
  it("follows the tally, whatever garbage there is", () => {
    const { gauge, state, tally } = setUp();
    assert.equal(gauge.usedBytes, emptyBytes);
    tally.bytes = 100 * mebibyte;
    state.used = 900 * mebibyte;
    gauge.refresh();
    assert.equal(gauge.usedBytes, emptyBytes + 100 * mebibyte);
  });

  it("does not take for data what is kept for data to come", () => {
    const { collect, gauge, state, tally } = setUp();
    tally.bytes = 100 * mebibyte;
    state.idle = 900 * mebibyte;
    collect(program + 1000 * mebibyte);
    assert.equal(gauge.usedBytes, emptyBytes + 100 * mebibyte);
  });

  it("believes what a collection has left, outside the dead band", () => {
    const { collect, gauge, tally } = setUp();
    tally.bytes = 500 * mebibyte;
    collect(program + 550 * mebibyte);
    assert.equal(gauge.usedBytes, emptyBytes + 500 * mebibyte);
    collect(program + 1064 * mebibyte);
    assert.equal(gauge.usedBytes, emptyBytes + 1000 * mebibyte);
    tally.bytes = 0;
    assert.equal(gauge.usedBytes, emptyBytes, "what was missing goes with the keys");
  });

  it("never says that there is more than V8 has", () => {
    const { gauge, state, tally } = setUp();
    tally.bytes = 500 * mebibyte;
    state.used = program + 336 * mebibyte;
    gauge.refresh();
    assert.equal(gauge.usedBytes, emptyBytes + 400 * mebibyte);
  });

  it("takes for the program what is there without data", () => {
    const { collect, gauge, tally } = setUp();
    const before = gauge.ceiling;
    collect(program + 30 * mebibyte);
    assert.equal(gauge.usedBytes, emptyBytes);
    assert.equal(gauge.ceiling, before - 30 * mebibyte);
    tally.bytes = mebibyte;
    assert.equal(gauge.usedBytes, emptyBytes + mebibyte);
  });

  it("limits the tally to what maxmemory leaves beside the clients, replicas not counted", () => {
    const { gauge, state, tally } = setUp();
    state.maxmemory = 100 * mebibyte;
    state.clients = 10 * mebibyte;
    state.replicas = 50 * mebibyte;
    state.used = program + 60 * mebibyte;
    gauge.refresh();
    assert.equal(tally.fullAt, 90 * mebibyte - emptyBytes);
    assert.equal(gauge.heapLimits, false);
  });

  it("limits it to three quarters of the heap if maxmemory is more or nothing", () => {
    for (const maxmemory of [0, 10 ** 12]) {
      const { gauge, state, tally } = setUp(248 * mebibyte);
      state.maxmemory = maxmemory;
      gauge.refresh();
      assert.equal(heapCeiling(248 * mebibyte), 150 * mebibyte);
      assert.equal(tally.fullAt, 130 * mebibyte);
      assert.equal(gauge.heapLimits, true);
    }
  });

  it("hears no more of collections when it was stopped", () => {
    const { gauge, isListening } = setUp();
    assert.equal(isListening(), true);
    gauge.stop();
    assert.equal(isListening(), false);
  });
});
