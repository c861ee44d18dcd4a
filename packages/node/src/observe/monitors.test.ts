import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientLink } from "../net/client.js";
import { CommandHarness } from "../testing/command-harness.js";

function listener(harness: CommandHarness): { lines(): string } {
  const chunks: Buffer[] = [];
  const link: ClientLink = { ...harness.client.link, push: (bytes) => void chunks.push(bytes) };
  const client = harness.newClient(link);
  harness.node.monitors.add(client);
  return { lines: () => Buffer.concat(chunks.splice(0)).toString("latin1") };
}

test("a monitor sees who said what, with bytes escaped", () => {
  const harness = new CommandHarness({ now: 1_700_000_000_123 });
  const { lines } = listener(harness);
  harness.run("SET", 'a"b', "\x00\xff\r\n");
  assert.equal(
    lines(),
    `+1700000000.123000 [0 ${harness.client.link.remoteAddress}] "SET" "a\\"b" "\\x00\\xff\\r\\n"\r\n`,
  );
});

test("queued commands are shown when they run, administrative ones and secrets not at all", () => {
  const harness = new CommandHarness();
  const { lines } = listener(harness);
  const words = (): string[] => [...lines().matchAll(/\] (.*)\r\n/g)].map(([, line]) => line ?? "");
  harness.run("multi");
  harness.run("incr", "n");
  harness.run("exec");
  assert.deepEqual(words(), ['"multi"', '"incr" "n"', '"exec"']);
  harness.run("config", "set", "timeout", "0");
  harness.run("auth", "default", "secret");
  assert.deepEqual(words(), ['"auth" "(redacted)" "(redacted)"']);
});
