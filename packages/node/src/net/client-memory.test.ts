import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "./client.js";
import { clientBytes, clientsBytesMax, clientsToEvict } from "./client-memory.js";

const mebibyte = 1024 ** 2;

function client(outputBufferBytes: number, rest: Partial<Client> = {}): Client {
  const link = { outputBufferBytes, queryBufferBytes: 0 };
  return { link, queuedBytes: 0, kind: "normal", isReplica: false, ...rest } as Client;
}

describe("the memory of clients", () => {
  it("is limited by bytes, or by a share of maxmemory, and never to almost nothing", () => {
    const limit = (maxmemoryClients: number, maxmemory = 0): number =>
      clientsBytesMax({ maxmemory, maxmemoryClients });
    assert.equal(limit(0, mebibyte), Number.POSITIVE_INFINITY);
    assert.equal(limit(3 * mebibyte), 3 * mebibyte);
    assert.equal(limit(-10, 30 * mebibyte), 3 * mebibyte);
    assert.equal(limit(-10), Number.POSITIVE_INFINITY);
    assert.equal(limit(1), 128 * 1024);
  });

  it("is freed by the largest clients first, and by no more than needed", () => {
    const small = client(1000);
    const large = client(2 * mebibyte);
    const larger = client(3 * mebibyte);
    const all = [small, large, larger];
    assert.deepEqual(clientsToEvict(all, 6 * mebibyte), []);
    assert.deepEqual(clientsToEvict(all, 5 * mebibyte), [larger]);
    assert.deepEqual(clientsToEvict(all, 2 * mebibyte), [larger, large]);
    assert.deepEqual(clientsToEvict(all, Number.POSITIVE_INFINITY), []);
  });

  it("is not freed by replicas, nor by those who asked to be spared", () => {
    const spared = client(3 * mebibyte, { noEvict: true });
    const replica = client(9 * mebibyte, { isReplica: true });
    const other = client(mebibyte);
    assert.deepEqual(clientsToEvict([spared, replica, other], 3 * mebibyte), [other]);
    assert.deepEqual(clientsToEvict([replica, other], 3 * mebibyte), []);
  });

  it("counts what is queued, read and not sent", () => {
    const link = { outputBufferBytes: 1, queryBufferBytes: 20, argumentBytes: 300 };
    const some = { link, queuedBytes: 4000 } as Client;
    assert.equal(clientBytes(some), 1024 + 4321);
  });
});
