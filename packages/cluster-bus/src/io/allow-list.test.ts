/** Addresses against lists of addresses and ranges. */

import assert from "node:assert/strict";
import * as net from "node:net";
import { test } from "node:test";
import { startLiveNode } from "../testing/live-node.js";
import { AllowList } from "./allow-list.js";

test("an empty list lets everybody in", () => {
  assert.equal(new AllowList().allows("203.0.113.9", []), true);
});

test("addresses and ranges of both families", () => {
  const list = new AllowList();
  const ranges = ["10.0.0.0/8", "192.168.1.7", "fd00::/8"];
  for (const address of ["10.1.2.3", "192.168.1.7", "fd12::1"]) {
    assert.equal(list.allows(address, ranges), true, address);
  }
  for (const address of ["11.0.0.1", "192.168.1.8", "fe80::1", ""]) {
    assert.equal(list.allows(address, ranges), false, address);
  }
  assert.equal(list.allows("10.1.2.3", ["10.1.2.4/32"]), false);
  assert.equal(list.allows("203.0.113.9", ["0.0.0.0/0"]), true);
});

test("whoever is not in the list is closed at accept, and named in the log", async () => {
  const node = await startLiveNode({ allowFrom: ["192.0.2.0/24"] });
  try {
    const received = await answerTo(node.config.busPort);
    assert.equal(received, 0);
    assert.equal(node.driver.core.nodes.length, 1);
    assert.ok(node.warnings.some((line) => /127\.0\.0\.1.*cluster-bus-allow/.test(line)));
    // CONFIG SET is in force at once.
    node.config.allowFrom = ["127.0.0.0/8"];
    const socket = net.connect(node.config.busPort, "127.0.0.1");
    await new Promise((resolve) => void socket.once("connect", resolve));
    socket.write(Buffer.from("not the bus"));
    await new Promise((resolve) => void socket.once("close", resolve));
    assert.ok(node.warnings.some((line) => line.includes("signature")));
  } finally {
    await node.stop();
  }
});

/** Connects, and resolves with how many bytes came before the other side closed. */
function answerTo(port: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve(socket.bytesRead));
  });
}
