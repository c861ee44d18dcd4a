import assert from "node:assert/strict";
import { test } from "node:test";
import { startLines } from "./start-lines.js";

test("the process is found where scripts look for it", () => {
  const text = startLines({ clusterEnabled: true, port: 7000, processId: 4711 }).join("\n");
  assert.match(`${text}\nServer initialized`, / PID: 4711.*Server initialized/s);
  assert.match(text, /cluster mode, Port: 7000/);
});
