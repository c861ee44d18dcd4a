/** `nodes.conf` as real servers write it is read, what we write is read back, damage is refused. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatNodesConf, NodesConfError, parseNodesConf } from "./nodes-conf.js";

const primary = "708cd80a2ccd9441310961ff61d73a1affffb14e";
const replica = "c017355437f45ca2fe85bcf8e42995a2d4daa1ed";
const shard = "7c4d4ce499ce21ec170be07f7c10428525da8420";

// Written by redis-server 7.0.15.
const conf70 = `2b27820215a8b3dd50e0f7fdfcab9465f0a4a9b4 127.0.0.1:7822@18822,node-one.example master - 0 1795226547083 2 connected 5461-10922
3940139ec1bc5a01865134f27027c70cb9264d16 127.0.0.1:7823@18823 master - 0 1795226547083 3 connected 10923-16383
${replica} 127.0.0.1:7821@18821 slave ${primary} 0 1795226547198 6 connected
${primary} 127.0.0.1:7824@18824 myself,master - 0 1795226546000 6 connected 0-5460
vars currentEpoch 6 lastVoteEpoch 5
`;

// Written by redis-server 7.2.6.
const conf72 = `5d49dab6a7bdf80311ea387d1633792d29bc7af5 127.0.0.1:7833@18833,,tls-port=0,nodename=two,shard-id=99983c930d1445b7d81531c41b941a6af82b0b2c master - 0 1795226566779 0 connected 10923-16383
38f17a597c2f702cdfb170af833ec6b860f642fe 127.0.0.1:7832@18832,node-one.example,tls-port=0,shard-id=ea744c8ebf309571890ff6b6faf20385f3a21d87 master - 0 1795226566679 2 connected 5461-10922
2f068b753cffd3301a4c7d7b9900be3db166b022 127.0.0.1:7831@18831,,tls-port=0,shard-id=${shard} slave 387cabc6977f83c583cbd2395a680f5912ecfc37 0 1795226566889 6 connected
387cabc6977f83c583cbd2395a680f5912ecfc37 127.0.0.1:7834@18834,,tls-port=0,shard-id=${shard} myself,master - 0 1795226566000 6 connected 0-5460
vars currentEpoch 6 lastVoteEpoch 5
`;

test("a file of Redis 7.0 is read, and written back byte for byte", () => {
  const conf = parseNodesConf(conf70);
  assert.ok(conf);
  assert.equal(conf.currentEpoch, 6);
  assert.equal(conf.lastVoteEpoch, 5);
  assert.equal(conf.nodes[0]?.hostname, "node-one.example");
  assert.equal(conf.nodes[2]?.primaryId, primary);
  assert.equal(conf.nodes[3]?.flags.join(), "myself,master");
  assert.equal(conf.nodes[3]?.shardId, undefined);
  assert.equal(formatNodesConf(conf), conf70);
});

test("a file of Redis 7.2 is read with its names and shard ids", () => {
  const conf = parseNodesConf(conf72);
  assert.ok(conf);
  assert.equal(conf.nodes[0]?.humanName, "two");
  assert.equal(conf.nodes[0]?.hostname, "");
  assert.equal(conf.nodes[1]?.hostname, "node-one.example");
  assert.equal(conf.nodes[2]?.shardId, shard);
  assert.equal(conf.nodes[3]?.shardId, shard);
  assert.equal(conf.nodes[3]?.busPort, 18834);
});

test("what we write keeps shard ids where no real server looks", () => {
  const conf = parseNodesConf(conf72);
  assert.ok(conf);
  const text = formatNodesConf(conf);
  assert.match(text, / 127\.0\.0\.1:7834@18834 myself,master - 0 \d+ 6 connected,shard-id=7c4d/);
  assert.deepEqual(parseNodesConf(text)?.nodes[3], conf.nodes[3]);
});

test("open slots, single slots, IPv6, a missing bus port and blank lines", () => {
  const text = `\n${primary} ::1:7000 myself,master - 0 0 1 connected 5 7-9 [8->-${replica}] [99-<-${replica}]\n\nvars currentEpoch 1 lastVoteEpoch 0\n`;
  const node = parseNodesConf(text)?.nodes[0];
  assert.ok(node);
  assert.equal(node.ip, "::1");
  assert.equal(node.busPort, 17000);
  assert.deepEqual(node.ranges, [
    { start: 5, end: 5 },
    { start: 7, end: 9 },
  ]);
  assert.deepEqual(
    node.openSlots.map((open) => [open.slot, open.direction]),
    [
      [8, "migrating"],
      [99, "importing"],
    ],
  );
});

test("an empty file is no file; a damaged one is refused with the line", () => {
  assert.equal(parseNodesConf(""), undefined);
  const good = `${primary} 127.0.0.1:1@2 myself,master - 0 0 1 connected`;
  for (const bad of [
    good.replace("myself,", ""),
    good.replace("master", "king"),
    good.replace("connected", ""),
    `${good} 16384`,
    `${good} 1-x`,
    `${good} [1->-short]`,
    good.replace(primary, "SHORT"),
    good.replace("127.0.0.1:1@2", "127.0.0.1"),
    good.replace("@2", "@2,host,colour=blue"),
    `${good}\n${good.replace(primary, replica)}`,
  ]) {
    assert.throws(() => parseNodesConf(bad), NodesConfError, bad);
  }
});
