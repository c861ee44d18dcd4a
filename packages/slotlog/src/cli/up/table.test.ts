import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClusterNodes } from "../forming/cluster-nodes.js";
import { connectLines, nodeTable, reportOf } from "./table.js";

const nodes = parseClusterNodes(`\
aaaa 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-16383
bbbb 127.0.0.1:7001@17001 slave aaaa 0 0 1 connected`);

const running = nodes.map((node) => ({ node, pid: 42, directory: `d/${node.port}` }));

test("a replica is shown with its primary's port, a primary with its slots", () => {
  const [primary, replica] = reportOf(running);
  assert.equal(primary?.role, "primary");
  assert.equal(primary?.primaryPort, undefined);
  assert.equal(replica?.role, "replica");
  assert.equal(replica?.primaryPort, 7000);
  const lines = nodeTable(reportOf(running)).split("\n");
  assert.ok(lines.some((line) => /127\.0\.0\.1:7000 .*primary .*0-16383 /.test(line)));
  assert.ok(lines.some((line) => /127\.0\.0\.1:7001 .*replica .*7000 .*d\/7001/.test(line)));
});

test("the lines to connect with ask for the password and never show it", () => {
  const address = { host: "127.0.0.1", port: 7000 };
  const secret = connectLines({ ...address, password: "hunter2" });
  assert.match(secret, /redis-cli -c -h 127\.0\.0\.1 -p 7000 --askpass/);
  assert.doesNotMatch(secret, /hunter2/);
  assert.doesNotMatch(connectLines({ ...address, password: undefined }), /pass/);
});
