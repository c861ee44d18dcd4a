import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressMap, mapReason } from "./address-map.js";

const node = { ip: "172.18.0.3", port: 7001, hostname: "node-2", humanName: "b" };

function told(rules: readonly string[], local: string): string | undefined {
  assert.equal(mapReason(rules), undefined);
  const address = new AddressMap(rules).addressFor(local, node);
  return address && `${address.host} ${address.port}`;
}

test("by the port that the client came in on", () => {
  const rules = ["17001=127.0.0.1:{port}", "27001={hostname}.example.org:{port+10000}"];
  assert.equal(told(rules, "172.18.0.4:17001"), "127.0.0.1 7001");
  assert.equal(told(rules, "[fd00::4]:27001"), "node-2.example.org 17001");
  assert.equal(told(rules, "172.18.0.4:7001"), undefined);
  assert.deepEqual(new AddressMap(rules).ports, [17001, 27001]);
});

test("by the address that the client came in at, the first rule first", () => {
  const rules = ["10.1.0.0/16=10.1.0.9:{port-1}", "10.0.0.0/8={ip}:{port}", "::1=[::1]:1{port%10}"];
  assert.equal(told(rules, "10.1.2.3:7000"), "10.1.0.9 7000");
  assert.equal(told(rules, "10.2.2.3:7000"), "172.18.0.3 7001");
  assert.equal(told(rules, "[::1]:7000"), "[::1] 11");
  assert.equal(told(rules, "192.168.0.1:7000"), undefined);
  assert.deepEqual(new AddressMap(rules).ports, []);
});

test("who has no address, as on a unix socket, is told what everybody is told", () => {
  assert.equal(told(["10.0.0.0/8=a:1"], "/run/slotlog.sock:0"), undefined);
});

test("what is no rule is refused with the reason", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["10.0.0.1", /FROM=HOST:PORT/],
    ["70000=a:1", /no port, address or CIDR/],
    ["10.0.0.0/33=a:1", /no port, address or CIDR/],
    ["localhost=a:1", /no port, address or CIDR/],
    ["7000=a:{ports}", /is no port/],
    ["7000={host}:1", /is no host/],
    ["7000=a:b", /is no port/],
  ];
  for (const [rule, reason] of cases) assert.match(mapReason([rule]) ?? "", reason, rule);
});
