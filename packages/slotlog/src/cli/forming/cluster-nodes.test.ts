import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClusterNodes, parseInfo } from "./cluster-nodes.js";

const text = `\
07c3 127.0.0.1:7003@17003,host.example slave e7d1 0 1426238317239 4 connected
e7d1 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460 5999 [93-<-292f]
6ec2 ::1:7001@17001 master,fail - 1426238316232 2 2 disconnected
`;

test("CLUSTER NODES is read field by field", () => {
  assert.deepEqual(parseClusterNodes(text), [
    {
      id: "07c3",
      host: "127.0.0.1",
      port: 7003,
      flags: ["slave"],
      primaryId: "e7d1",
      configEpoch: 4,
      linkUp: true,
      slots: [],
    },
    {
      id: "e7d1",
      host: "127.0.0.1",
      port: 7000,
      flags: ["myself", "master"],
      primaryId: undefined,
      configEpoch: 1,
      linkUp: true,
      slots: ["0-5460", "5999"],
    },
    {
      id: "6ec2",
      host: "::1",
      port: 7001,
      flags: ["master", "fail"],
      primaryId: undefined,
      configEpoch: 2,
      linkUp: false,
      slots: [],
    },
  ]);
});

test("INFO's fields are found, its headings are not", () => {
  const fields = parseInfo("# Replication\r\nrole:slave\r\nmaster_link_status:up\r\nurl:a:b\r\n");
  assert.deepEqual(Object.fromEntries(fields), {
    role: "slave",
    master_link_status: "up",
    url: "a:b",
  });
});
