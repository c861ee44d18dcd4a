import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FastRandom } from "../random.js";
import { BlockAccount, BlockMemory } from "./block-memory.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./environment.js";
import { radixNodeCount } from "./radix-nodes.js";
import { StreamRange, StreamValue } from "./stream.js";
import { PendingEntry, StreamGroup } from "./stream-group.js";
import {
  compareIds,
  idText,
  idToBytes,
  longOf,
  maxId,
  type StreamId,
  zeroId,
} from "./stream-id.js";
import { EntryReader, StreamNode } from "./stream-node.js";

function environment(entries = 100, bytes = 4096): CollectionEnvironment {
  return new CollectionEnvironment({
    limits: {
      ...defaultCollectionLimits,
      streamNodeMaxEntries: entries,
      streamNodeMaxBytes: bytes,
    },
    seed: 1,
    random: new FastRandom(1),
  });
}

const word = fc.oneof(
  fc.bigInt(0n, 300n),
  fc.bigInt(2n ** 53n - 2n, 2n ** 53n + 2n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);
const ascendingIds = fc
  .array(fc.tuple(word, word), { minLength: 1, maxLength: 60 })
  .map((pairs) => {
    const ids = pairs.map(([ms, seq]): StreamId => ({ ms: longOf(ms), seq: longOf(seq) }));
    ids.sort(compareIds);
    return ids.filter(
      (id, index) => index === 0 || compareIds(ids[index - 1] as StreamId, id) !== 0,
    );
  });

function read(stream: StreamValue, start: StreamId, end: StreamId, reverse = false): string[] {
  const range = new StreamRange(stream, start, end, { reverse });
  const texts: string[] = [];
  while (range.next()) texts.push(idText(range.entry));
  return texts;
}

describe("stream nodes", () => {
  it("give back what was put in, in both directions", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary-ascii", maxLength: 5 }),
      fc.constantFrom("x".repeat(200), "a", "b"),
    );
    const words = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(ascendingIds, fc.array(words, { minLength: 1 }), (ids, contents) => {
        const first = contents[0]?.flat() ?? [];
        const fields = first.filter((_, index) => index % 2 === 0);
        const node = new StreamNode(ids[0] as StreamId, fields);
        const expected = ids.map((id, index) => {
          const entry = (contents[index % contents.length] ?? []).flat();
          node.append(id, ["XADD", ...entry], 1);
          return `${idText(id)} ${JSON.stringify(entry)}`;
        });
        const account = new BlockAccount(new BlockMemory());
        const free = node.seal(account);
        assert.ok(free !== undefined && free !== node.bytes);
        free.fill(0xff);
        const copy = node.copy();
        assert.equal(copy.bytes, node.bytes, "a copy has the same memory");
        // Who changes it, sealed or not, takes it out.
        copy.append(ids.at(-1) as StreamId, ["XADD", ...first], 1);
        const reader = new EntryReader(node);
        const forward: string[] = [];
        while (reader.forward()) forward.push(entryText(reader));
        assert.deepEqual(forward, expected);
        reader.enter(node, true);
        const backward: string[] = [];
        while (reader.backward()) backward.unshift(entryText(reader));
        assert.deepEqual(backward, expected);
        reader.enter(copy, false);
        for (const entry of expected) {
          reader.forward();
          assert.equal(entryText(reader), entry);
        }
        assert.ok(reader.forward());
        assert.notEqual(account.bytes, 0);
        for (const each of [node, copy]) each.release();
        assert.equal(account.bytes, 0);
      }),
    );
  });
});

function entryText(reader: EntryReader): string {
  const words: string[] = [];
  const next = (): string => {
    reader.readText();
    return reader.node.bytes.toString("latin1", reader.textAt, reader.textAt + reader.textLength);
  };
  for (let index = 0; index < reader.fieldCount; index++) {
    words.push(reader.sameFields ? (reader.node.fields[index] as string) : next(), next());
  }
  return `${idText(reader)} ${JSON.stringify(words)}`;
}

describe("streams", () => {
  it("find ranges across nodes, around deleted entries", () => {
    fc.assert(
      fc.property(ascendingIds, fc.nat(7), fc.nat(60), fc.nat(60), (all, step, from, to) => {
        const ids = all.filter(({ ms, seq }) => ms !== 0 || seq !== 0);
        const stream = new StreamValue(environment(4));
        for (const id of ids) stream.append(id, ["f", "v"], 0);
        const left = ids.filter((id, index) => {
          if (step === 0 || index % step !== 0) return true;
          assert.equal(stream.delete(id), true);
          assert.equal(stream.delete(id), false);
          return false;
        });
        stream.updateFirstId();
        assert.equal(stream.length, left.length);
        const start = all[from % all.length] as StreamId;
        const end = all[to % all.length] as StreamId;
        const expected = left
          .filter((id) => compareIds(id, start) >= 0 && compareIds(id, end) <= 0)
          .map(idText);
        assert.deepEqual(read(stream, start, end), expected);
        assert.deepEqual(read(stream, start, end, true), expected.reverse());
        assert.deepEqual(stream.lastValidId(), left.at(-1) ?? zeroId);
        assert.deepEqual(stream.firstId, left[0] ?? zeroId);
      }),
    );
  });

  it("count the nodes of Redis' radix tree", () => {
    fc.assert(
      fc.property(ascendingIds, (ids) => {
        const stream = new StreamValue(environment(1));
        for (const id of ids) stream.append(id, ["f", "v"], 0);
        assert.equal(stream.nodes.size, ids.length);
        assert.equal(radixNodeCount(stream.nodes), countedInTree(ids.map(idToBytes)));
      }),
    );
    assert.equal(radixNodeCount(new StreamValue(environment()).nodes), 1);
  });

  it("survive RDB's neutral form, groups included", () => {
    const stream = sample();
    const neutral = stream.toNeutral();
    const again = StreamValue.fromNeutral(neutral, environment(3));
    assert.deepEqual(again.toNeutral(), neutral);
    assert.equal(neutral.groups[0]?.pending[0]?.deliveryCount, 7);
  });

  it("have copies that share nothing", () => {
    const stream = sample();
    const before = stream.toNeutral();
    const copy = stream.copy();
    assert.deepEqual(copy.toNeutral(), before);
    for (const id of read(copy, zeroId, maxId)) copy.delete(parsed(id));
    copy.append({ ms: 900, seq: 0 }, ["f", "v"], 0);
    const group = copy.groups.first as StreamGroup;
    group.removePending({ ms: 2, seq: 0 });
    group.createConsumer("zoe", 1);
    assert.deepEqual(stream.toNeutral(), before);
  });

  it("stay small, and let go of what is trimmed", () => {
    const stream = new StreamValue(environment());
    for (let ms = 1; ms <= 50_000; ms++) stream.append({ ms, seq: 0 }, ["temperature", "21"], 0);
    const bytes = stream.memoryUsage(0);
    assert.ok(bytes / 50_000 < 20, `${bytes / 50_000} bytes an entry`);
    assert.equal(stream.trim({ maxLength: 1000, approximate: true, limit: 0 }), 49_000);
    assert.ok(stream.memoryUsage(0) < bytes / 40);
    assert.equal(stream.trim({ minId: { ms: 49_950, seq: 0 }, approximate: false, limit: 0 }), 949);
    assert.deepEqual(stream.firstId, { ms: 49_950, seq: 0 });
  });
});

function parsed(text: string): StreamId {
  const [ms = "0", seq = "0"] = text.split("-");
  return { ms: Number(ms), seq: Number(seq) };
}

function sample(): StreamValue {
  const stream = new StreamValue(environment(3));
  for (let ms = 1; ms <= 10; ms++)
    stream.append({ ms, seq: 0 }, ["a", String(ms), "b", "x\xff"], 0);
  stream.append({ ms: 11, seq: 2n ** 60n }, ["other", "fields"], 0);
  stream.delete({ ms: 4, seq: 0 });
  stream.maxDeletedId = { ms: 4, seq: 0 };
  const group = new StreamGroup("g", { ms: 5, seq: 0 }, 5);
  stream.groups.insert(group);
  const consumer = group.createConsumer("c", 1000);
  consumer.activeAt = 900;
  for (const ms of [3, 2, 5]) group.addPending(new PendingEntry({ ms, seq: 0 }, consumer, 800));
  const [first] = [group.pending.first];
  if (first !== undefined) first.deliveryCount = 7;
  group.createConsumer("idle", 1001);
  return stream;
}

/** The nodes of a radix tree over keys of one length, counted by building it. */
function countedInTree(keys: readonly string[]): number {
  if (keys.length === 1 && keys[0] === "") return 1;
  let common = 0;
  const [first = ""] = keys;
  while (common < first.length && keys.every((key) => key[common] === first[common])) common++;
  const prefixNode = common > 0 ? 1 : 0;
  const rests = keys.map((key) => key.slice(common));
  if (rests.length === 1) return prefixNode + 1;
  const branches = new Map<string, string[]>();
  for (const rest of rests) {
    const byte = rest[0] as string;
    branches.set(byte, [...(branches.get(byte) ?? []), rest.slice(1)]);
  }
  let count = prefixNode + 1;
  for (const branch of branches.values()) count += countedInTree(branch);
  return count;
}
