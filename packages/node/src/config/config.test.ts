import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Configuration } from "./config.js";
import { configGet, configSet, sensitiveWords } from "./config-commands.js";
import { slotlogDirectives } from "./directives/slotlog.js";

const RUNNING = { loading: false, localClient: false };

function newConfig(): Configuration {
  return new Configuration({
    workingDirectory: "/data",
    checkDirectory: (path) => (path.includes("missing") ? "No such file or directory" : undefined),
  });
}

function valueOf(config: Configuration, name: string): string | undefined {
  return configGet(config, [name])[1];
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

test("names and defaults are those that Redis 7.2.6 lists", () => {
  const text = readFileSync(new URL("./redis-7.2-defaults.txt", import.meta.url), "utf8");
  const expected = new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t", 2) as [string, string]),
  );
  const ours: readonly string[] = slotlogDirectives.map((directive) => directive.name);
  const listed = pairsOf(configGet(newConfig(), ["*"])).filter(([name]) => !ours.includes(name));
  assert.deepEqual(new Map(listed), expected);
  assert.equal(expected.size, 195);
});

test("values are typed and in base units", () => {
  const { values } = newConfig();
  const port: number = values.port;
  const fsync: "always" | "everysec" | "no" = values.appendfsync;
  const cluster: boolean = values.clusterEnabled;
  assert.deepEqual([port, fsync, cluster], [6379, "everysec", false]);
  assert.equal(values.dir, "/data");
  assert.equal(values.protoMaxBulkLen, 512 * 1024 * 1024);
  assert.equal(values.clientOutputBufferLimit.replica.softBytes, 64 * 1024 * 1024);
  assert.deepEqual(values.save[2], { seconds: 60, changes: 10000 });
  assert.equal(values.replicaof, undefined);
  assert.deepEqual(values.latencyTrackingInfoPercentiles, [50, 99, 99.9]);
});

test("CONFIG GET takes names, older names and patterns, and lists nothing twice", () => {
  const config = newConfig();
  assert.deepEqual(configGet(config, ["MaxMemory"]), ["MaxMemory", "0"]);
  assert.deepEqual(configGet(config, ["hz", "HZ", "h?"]), ["hz", "10"]);
  assert.deepEqual(configGet(config, ["slave-priority", "replica-priority"]), [
    "slave-priority",
    "100",
    "replica-priority",
    "100",
  ]);
  assert.deepEqual(configGet(config, ["nope", "nope*"]), []);
  assert.deepEqual(configGet(config, ["use-exit-on-p*"]), []);
  assert.deepEqual(configGet(config, ["use-exit-on-panic"]), ["use-exit-on-panic", "no"]);
});

test("CONFIG SET changes values in place and tells who listens, once per change", () => {
  const config = newConfig();
  const { values } = config;
  const seen: unknown[] = [];
  config.onChange("maxmemory", () => seen.push(values.maxmemory));
  config.onChange("replica-priority", () => seen.push(values.replicaPriority));
  assert.equal(configSet(config, ["MAXMEMORY", "1kb", "slave-priority", "7"], RUNNING), undefined);
  assert.equal(configSet(config, ["maxmemory", "1024"], RUNNING), undefined);
  assert.deepEqual(seen, [1024, 7]);
  assert.equal(valueOf(config, "replica-priority"), "7");
  config.assign("maxmemory", 5);
  assert.deepEqual(seen, [1024, 7, 5]);
  assert.equal(valueOf(config, "maxmemory"), "5");
});

test("CONFIG SET refuses in Redis' words", () => {
  const failed = "ERR CONFIG SET failed (possibly related to argument";
  const cases: [pairs: string[], error: string][] = [
    [["maxmemory"], "ERR syntax error"],
    [["nope", "1"], "ERR Unknown option or number of arguments for CONFIG SET - 'nope'"],
    [["Databases", "2"], `${failed} 'Databases') - can't set immutable config`],
    [["dir", "/tmp"], `${failed} 'dir') - can't set protected config`],
    [["hz", "1", "HZ", "2"], `${failed} 'HZ') - duplicate parameter`],
    [["maxmemory", "-1"], `${failed} 'maxmemory') - argument must be a memory value`],
    [["HZ", "x"], `${failed} 'hz') - argument couldn't be parsed into an integer`],
    [["port", "65536"], `${failed} 'port') - argument must be between 0 and 65535 inclusive`],
    [
      ["maxmemory-clients", "101%"],
      `${failed} 'maxmemory-clients') - percentage argument must be less or equal to 100`,
    ],
    [["appendonly", "1"], `${failed} 'appendonly') - argument must be 'yes' or 'no'`],
    [
      ["appendfsync", "maybe"],
      `${failed} 'appendfsync') - argument(s) must be one of the following: everysec, always, no`,
    ],
    [["tls-port", "1"], `${failed} 'tls-port') - TLS is not supported`],
    [
      ["client-output-buffer-limit", "master 0 0 0"],
      `${failed} 'client-output-buffer-limit') - Invalid client class specified in buffer limit configuration.`,
    ],
  ];
  const config = newConfig();
  const before = configGet(config, ["*"]);
  for (const [pairs, error] of cases) assert.equal(configSet(config, pairs, RUNNING), error);
  assert.deepEqual(configGet(config, ["*"]), before);
});

test("CONFIG SET is all or nothing, also when putting into effect fails", () => {
  const config = newConfig();
  const applied: number[] = [];
  let told = 0;
  config.onChange("maxmemory", () => told++);
  config.onApply("maxmemory", () => {
    applied.push(config.values.maxmemory);
    return undefined;
  });
  config.onApply("port", () => (config.values.port === 80 ? "Unable to listen" : undefined));
  const before = configGet(config, ["*"]);

  const unreadable = configSet(config, ["maxmemory", "1", "save", "9 9", "hz", "x"], RUNNING);
  assert.match(unreadable ?? "", /'hz'/);
  assert.deepEqual(configGet(config, ["*"]), before);
  assert.deepEqual(applied, []);

  assert.equal(
    configSet(config, ["maxmemory", "1", "port", "80"], RUNNING),
    "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen",
  );
  assert.deepEqual(configGet(config, ["*"]), before);
  assert.deepEqual(applied, [1, 0]);
  assert.equal(told, 0);
});

test("one function for several directives is called once", () => {
  const config = newConfig();
  let calls = 0;
  const apply = (): undefined => {
    calls++;
  };
  config.onApply("port", apply);
  config.onApply("bind", apply);
  assert.equal(configSet(config, ["port", "1", "bind", "::1 127.0.0.1"], RUNNING), undefined);
  assert.equal(calls, 1);
  assert.deepEqual(config.values.bind, ["::1", "127.0.0.1"]);
});

test("a certificate is read again although its path stays the same", () => {
  const config = newConfig();
  let calls = 0;
  config.onChange("tls-cert-file", () => calls++);
  configSet(config, ["tls-cert-file", "a.pem"], RUNNING);
  configSet(config, ["tls-cert-file", "a.pem"], RUNNING);
  assert.equal(calls, 2);
});

test("directives that must wait for the data set say LOADING", () => {
  const config = newConfig();
  const loading = { loading: true, localClient: false };
  assert.match(configSet(config, ["appendonly", "yes"], loading) ?? "", /^LOADING /);
  assert.equal(configSet(config, ["maxmemory", "1"], loading), undefined);
});

test("protected directives open for local clients if so configured", () => {
  const config = newConfig();
  config.assign("enable-protected-configs", "local");
  const set = (localClient: boolean): string | undefined =>
    configSet(config, ["dir", "sub/../other"], { loading: false, localClient });
  assert.match(set(false) ?? "", /can't set protected config/);
  assert.equal(set(true), undefined);
  assert.equal(config.values.dir, "/data/other");
  assert.match(
    configSet(config, ["dir", "missing"], { loading: false, localClient: true }) ?? "",
    /- No such file or directory$/,
  );
});

test("values print back as Redis prints them", () => {
  const cases: [name: string, set: string, get: string][] = [
    ["maxmemory", "18446744073709551615", "18446744073709551615"],
    ["maxmemory-clients", "5%", "5%"],
    ["latency-monitor-threshold", "9223372036854775807", "9223372036854775807"],
    ["hz", "100000", "500"],
    ["oom-score-adj", "relative", "yes"],
    ["shutdown-on-sigterm", "FORCE save now", "save now force"],
    ["shutdown-on-sigterm", "default", "default"],
    ["notify-keyspace-events", "g$lshzxetdKE", "AKE"],
    ["notify-keyspace-events", "nmAK", "AKm"],
    ["notify-keyspace-events", "mn", "nm"],
    ["save", "", ""],
    ["save", "10 1 20 2", "10 1 20 2"],
    ["bind", "", ""],
    ["latency-tracking-info-percentiles", "0.5 1e1 100", "0.5 10 100"],
    [
      "client-output-buffer-limit",
      "replica 1mb 1k 3",
      "normal 0 0 0 slave 1048576 1000 3 pubsub 33554432 8388608 60",
    ],
    ["cluster-bus-allow", "10.0.0.0/8 ::1", "10.0.0.0/8 ::1"],
    ["masterauth", "a\0b", "a\0b"],
    ["ignore-warnings", "a\0b", "a"],
  ];
  const config = newConfig();
  for (const [name, set, get] of cases) {
    assert.equal(configSet(config, [name, set], RUNNING), undefined, name);
    assert.equal(valueOf(config, name), get, name);
  }
  assert.equal(config.values.maxmemoryClients, -5);
  assert.deepEqual(config.values.shutdownOnSigterm, []);
});

test("our own directives check their words", () => {
  const config = newConfig();
  const bad: [string, string][] = [
    ["cluster-bus-allow", "10.0.0.0/33"],
    ["cluster-bus-allow", "example.org"],
    ["cluster-seeds", "host"],
    ["cluster-seeds", "host:70000"],
    ["aof-buffer-max", "1kb"],
  ];
  for (const pair of bad) assert.notEqual(configSet(config, pair, RUNNING), undefined, pair.join());
  assert.equal(configSet(config, ["cluster-seeds", "[::1]:7000 b:7001"], RUNNING), undefined);
  assert.deepEqual(config.values.clusterSeeds, ["[::1]:7000", "b:7001"]);
});

test("passwords among CONFIG SET's words are known as such", () => {
  assert.deepEqual(
    sensitiveWords(["maxmemory", "1", "REQUIREPASS", "x", "masterauth", "y"]),
    [3, 5],
  );
});
