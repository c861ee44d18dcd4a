import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeConfig } from "./config/config.js";
import { processTitle } from "./process-title.js";

const facts = { name: "slotlog", port: 7001, configFile: "/etc/redis.conf" };
const config = {
  bind: ["*", "-::*"],
  clusterEnabled: true,
  procTitleTemplate: "{title} {listen-addr} {server-mode}",
  tlsPort: 0,
  unixsocket: "",
} as unknown as NodeConfig;

test("the title says name, address and mode", () => {
  assert.equal(processTitle(config, facts), "slotlog *:7001 [cluster]");
  const bound = { ...config, bind: ["-127.0.0.1"], clusterEnabled: false };
  assert.equal(processTitle(bound, facts), "slotlog 127.0.0.1:7001");
  assert.equal(
    processTitle({ ...bound, unixsocket: "/run/s" }, { ...facts, port: 0 }),
    "slotlog /run/s",
  );
});

test("every variable can be used, and a brace printed", () => {
  const template = "{{{port}|{tls-port}|{unixsocket}|{config-file}} ";
  const all = { ...config, procTitleTemplate: template, tlsPort: 7, unixsocket: "/run/s" };
  assert.equal(processTitle(all, facts), "{7001|7|/run/s|/etc/redis.conf}");
});
