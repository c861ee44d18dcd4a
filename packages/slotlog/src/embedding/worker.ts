// The inside of a `WorkerHost`: one node, and a port on which it is told what to do.

import { parentPort } from "node:worker_threads";
import { LocalHost, type ReservedPorts } from "./host.js";
import type { HostAnswer, HostCall } from "./worker-host.js";

function answer(message: HostAnswer): void {
  parentPort?.postMessage(message);
}

const host = new LocalHost(() => answer({ call: -1 }));

function run({ method, args }: HostCall): Promise<void> {
  switch (method) {
    case "reserve":
      return host.reserve(args[0] as ReservedPorts);
    case "start":
      return host.start(args[0] as readonly string[]);
    case "cutOff":
      return host.cutOff(args[0] as readonly number[]);
    case "stop":
    case "pause":
    case "resume":
      return host[method]();
  }
}

parentPort?.on("message", (message: HostCall) => {
  run(message).then(
    () => answer({ call: message.call }),
    (error: unknown) => {
      const { code, message: text } = error as NodeJS.ErrnoException;
      answer({ call: message.call, error: { message: text, ...(code ? { code } : {}) } });
    },
  );
});
