// A client inside of a container whose network is taken away: it writes all the time over the
// loopback, and says afterwards when the network was gone and when the last write was taken. From
// outside neither could be told, because docker takes its own time.

import type { ComposeProject } from "./project.js";
import { mustRun } from "../harness/exec.js";
import { eventually } from "../harness/server.js";

/** Unix times in milliseconds, by the clock that all containers share. */
export interface CutReport {
  /** The container's last interface but the loopback vanished, seen within a few milliseconds. */
  readonly vanishedAt: number;
  /** When the last write that was not refused was sent. */
  readonly lastTakenAt: number;
  readonly firstRefusedAt: number;
  readonly refusal: string;
  readonly taken: number;
}

const writesEveryMs = 10;
const watchedMsMax = 60_000;
/** So many refusals in a row end it. */
const refusalsEnough = 50;

// Each write has a connection of its own: one that waits for a replica holds back no other.
const script = `
const { connect } = require("node:net");
const { networkInterfaces } = require("node:os");
const [port, key] = process.argv.slice(1);
const report = { vanishedAt: 0, lastTakenAt: 0, firstRefusedAt: 0, refusal: "", taken: 0 };
const ask = (words) => new Promise((resolve) => {
  const socket = connect(Number(port), "127.0.0.1", () => {
    socket.end(words.map((word) => JSON.stringify(word)).join(" ") + "\\r\\n");
  });
  let reply = "";
  socket.on("data", (data) => { reply += data; });
  socket.on("error", () => resolve(""));
  socket.on("close", () => resolve(reply.trim()));
});
const pending = new Set();
let count = 0;
let refused = 0;
const began = Date.now();
const isCut = () => Object.keys(networkInterfaces()).every((name) => name === "lo");
const timer = setInterval(() => {
  if (report.vanishedAt === 0 && isCut()) report.vanishedAt = Date.now();
  const at = Date.now();
  const write = ask(["SET", key, "inside" + ++count]).then((reply) => {
    pending.delete(write);
    if (reply.startsWith("-CLUSTERDOWN")) {
      refused++;
      if (report.firstRefusedAt === 0 || at < report.firstRefusedAt) {
        report.firstRefusedAt = at;
        report.refusal = reply;
      }
    } else {
      refused = 0;
      report.taken++;
      report.lastTakenAt = Math.max(report.lastTakenAt, at);
    }
  });
  pending.add(write);
  if (refused < ${refusalsEnough} && Date.now() - began < ${watchedMsMax}) return;
  clearInterval(timer);
  const end = async () => {
    while (pending.size > 0) await Promise.all(pending);
    process.stdout.write(JSON.stringify(report));
  };
  void end();
}, ${writesEveryMs});
`;

/** Resolves once it writes; its result does when writes have been refused for a while. */
export async function watchCut(
  project: ComposeProject,
  service: string,
  key: string,
): Promise<{ readonly report: Promise<CutReport> }> {
  const port = String(project.innerPort(service));
  const words = ["exec", await project.container(service), "node", "-e", script, port, key];
  const report = mustRun("docker", words).then((text) => JSON.parse(text) as CutReport);
  report.catch(() => {});
  await eventually("the client inside writes", async () => {
    const value = await project.ask(service, "GET", key);
    return value.startsWith("inside") ? undefined : value;
  });
  return { report };
}
