import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";

const now = 1_700_000_000_000;

function record(harness: CommandHarness): string {
  return harness
    .records()
    .filter(([name]) => name !== "SELECT")
    .map((words) => words.join(" "))
    .join(" | ");
}

describe("XADD", () => {
  it("makes ids from the clock, and from the last id when the clock is behind", () => {
    const harness = new CommandHarness({ now });
    assert.equal(harness.text("XADD", "s", "*", "f", "v"), `$15\r\n${now}-0\r\n`);
    assert.equal(record(harness), `XADD s ${now}-0 f v`);
    assert.equal(harness.value("XADD", "s", "*", "f", "v"), `${now}-1`);
    harness.now = now - 5000;
    assert.equal(harness.value("XADD", "s", "*", "f", "v"), `${now}-2`);
    harness.now = now + 1;
    assert.equal(harness.value("XADD", "s", `${now}-*`, "f", "v"), `${now}-3`);
    assert.equal(record(harness), `XADD s ${now}-3 f v`);
    assert.equal(harness.value("XADD", "s", "*", "f", "v"), `${now + 1}-0`);
  });

  it("goes on to the next millisecond when a sequence is used up", () => {
    const harness = new CommandHarness({ now });
    const last = "18446744073709551615";
    harness.run("XADD", "s", `${now}-${last}`, "f", "v");
    assert.equal(harness.value("XADD", "s", "*", "f", "v"), `${now + 1}-0`);
    harness.run("XADD", "s", `${last}-${last}`, "f", "v");
    assert.match(harness.text("XADD", "s", "*", "f", "v"), /exhausted the last possible ID/);
    assert.match(harness.text("XADD", "t", "0-0", "f", "v"), /must be greater than 0-0/);
    assert.equal(harness.text("EXISTS", "t"), ":0\r\n");
  });

  it("logs what an approximate trimming came to", () => {
    const config = { streamNodeMaxEntries: 3 };
    const harness = new CommandHarness({ now, config });
    for (let id = 1; id <= 7; id++) harness.run("XADD", "s", `${id}-1`, "f", "v");
    harness.run("XADD", "s", "MAXLEN", "~", "3", "*", "f", "v");
    assert.equal(record(harness), `XADD s MAXLEN = 5 ${now}-0 f v`);
    harness.run("XTRIM", "s", "MINID", "~", "7-2", "LIMIT", "0");
    assert.equal(record(harness), "XTRIM s MINID = 7-1 LIMIT 0");
    harness.run("XTRIM", "s", "MINID", "~", "8-0");
    assert.equal(record(harness), "");
    harness.run("XTRIM", "s", "MINID", "~", String(now + 1));
    assert.equal(record(harness), "XTRIM s MINID = 18446744073709551615-18446744073709551615");
    assert.equal(harness.text("XLEN", "s"), ":0\r\n");
  });
});

describe("XREADGROUP", () => {
  it("logs the entries that it delivered as claims, in one unit", () => {
    const harness = new CommandHarness({ now });
    harness.run("XADD", "s", "1-1", "f", "v");
    harness.run("XADD", "s", "2-1", "f", "v");
    harness.run("XGROUP", "CREATE", "s", "g", "0");
    harness.run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">");
    const claim = (id: string): string =>
      `XCLAIM s g c 0 ${id} TIME ${now} RETRYCOUNT 1 FORCE JUSTID LASTID ${id}`;
    assert.equal(record(harness), `MULTI | ${claim("1-1")} | ${claim("2-1")} | EXEC`);
    harness.run("XADD", "s", "3-1", "f", "v");
    harness.run("XREADGROUP", "GROUP", "g", "d", "NOACK", "STREAMS", "s", ">");
    assert.equal(
      record(harness),
      "MULTI | XGROUP CREATECONSUMER s g d | XGROUP SETID s g 3-1 ENTRIESREAD 3 | EXEC",
    );
  });

  it("logs a new consumer that got nothing, as XCLAIM and XAUTOCLAIM do", () => {
    const harness = new CommandHarness({ now });
    harness.run("XADD", "s", "1-1", "f", "v");
    harness.run("XGROUP", "CREATE", "s", "g", "$");
    harness.run("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">");
    assert.equal(record(harness), "XGROUP CREATECONSUMER s g a");
    harness.run("XREADGROUP", "GROUP", "g", "b", "STREAMS", "s", "0");
    assert.equal(record(harness), "XGROUP CREATECONSUMER s g b");
    harness.run("XCLAIM", "s", "g", "c", "0", "1-1");
    assert.equal(record(harness), "XGROUP CREATECONSUMER s g c");
    harness.run("XAUTOCLAIM", "s", "g", "d", "0", "0");
    assert.equal(record(harness), "XGROUP CREATECONSUMER s g d");
    harness.run("XREADGROUP", "GROUP", "g", "d", "STREAMS", "s", ">");
    assert.equal(record(harness), "");
  });

  it("does not break the watches of others, as XADD does", () => {
    const harness = new CommandHarness({ now });
    harness.run("XADD", "s", "1-1", "f", "v");
    harness.run("XGROUP", "CREATE", "s", "g", "0");
    const watcher = harness.newClient();
    harness.node.watches.add(watcher, 0, "s", false);
    harness.run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">");
    harness.run("XACK", "s", "g", "1-1");
    assert.equal(watcher.watchBroken, false);
    harness.run("XADD", "s", "2-1", "f", "v");
    assert.equal(watcher.watchBroken, true);
  });
});

describe("XPENDING and XAUTOCLAIM", () => {
  it("know how long an entry has been idle", () => {
    const harness = new CommandHarness({ now });
    harness.run("XADD", "s", "1-1", "f", "v");
    harness.run("XGROUP", "CREATE", "s", "g", "0");
    harness.run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">");
    harness.now = now + 500;
    assert.deepEqual(harness.value("XPENDING", "s", "g", "-", "+", "9"), [["1-1", "c", 500, 1]]);
    const claim = ["XAUTOCLAIM", "s", "g", "d"] as const;
    assert.deepEqual(harness.value(...claim, "501", "0", "JUSTID"), ["0-0", [], []]);
    assert.deepEqual(harness.value(...claim, "500", "0", "JUSTID"), ["0-0", ["1-1"], []]);
    assert.deepEqual(harness.value("XPENDING", "s", "g", "-", "+", "9", "d"), [["1-1", "d", 0, 1]]);
    harness.run("XDEL", "s", "1-1");
    assert.deepEqual(harness.value(...claim, "0", "0"), ["0-0", [], ["1-1"]]);
    assert.deepEqual(harness.value("XPENDING", "s", "g"), [0, null, null, null]);
  });
});
