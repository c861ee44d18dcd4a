import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressRules } from "./address-rules.js";

const node = { host: "172.18.0.2", port: 7000 };

test("the first rule that fits counts, and none changes nothing", () => {
  const rules = new AddressRules([
    "10.0.0.0/8 172.18.0.2:7000=inside:7000",
    "172.18.0.2:*=outside.example:{port+10000}",
    "fd00::/8 *:*=[fd00::1]:{port}",
  ]);
  assert.deepEqual(rules.addressFor("10.1.2.3", node), { host: "inside", port: 7000 });
  assert.deepEqual(rules.addressFor("1.2.3.4", node), { host: "outside.example", port: 17_000 });
  const other = { host: "172.18.0.3", port: 7001 };
  assert.deepEqual(rules.addressFor("1.2.3.4", other), other);
  assert.deepEqual(rules.addressFor("fd00::9", other), { host: "fd00::1", port: 7001 });
});

test("what is no rule is refused with its reason", () => {
  const refused = (line: string, reason: RegExp): void => {
    assert.throws(() => new AddressRules([line]), reason, line);
  };
  refused("nonsense", /not of the form/);
  refused("10.0.0.0/40 a:1=b:2", /no address and no CIDR range/);
  refused("here a:1=b:2", /no address and no CIDR range/);
  refused("a:1=b:{port-40000}", /is no port/);
  refused("a:1={ip}:2", /is no host/);
});
