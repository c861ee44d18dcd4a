// Fills a server with keys as fast as it takes them, with as little work here as possible: whoever
// measures has to be faster than what is measured.

import { connect } from "node:net";

const defaultBatchKeys = 1_000;
/** Batches under way: enough to keep the server busy, few enough to bound what it buffers. */
const batchesAhead = 4;
const okBytes = "+OK\r\n".length;

export interface Filling {
  readonly port: number;
  readonly from: number;
  readonly to: number;
  readonly key: (index: number) => string;
  readonly value: string;
  /** Keys in one write: what a server does in one go, which those beside have to wait for. */
  readonly batchKeys?: number;
}

export function fill(filling: Filling): Promise<void> {
  const { port, from, to, key, value, batchKeys = defaultBatchKeys } = filling;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let sent = from;
    let answeredBytes = 0;
    const send = (): void => {
      const answered = from + Math.floor(answeredBytes / okBytes);
      while (sent < to && sent - answered < batchesAhead * batchKeys) {
        const end = Math.min(to, sent + batchKeys);
        socket.write(batchOf(sent, end, key, value), "latin1");
        sent = end;
      }
      if (answered === to) socket.end();
    };
    socket.on("connect", send);
    socket.on("data", (chunk) => {
      // Only an error has a minus sign, and no error may pass for a key.
      if (chunk.includes("-")) socket.destroy(new Error(`SET answered ${chunk.toString()}`));
      answeredBytes += chunk.length;
      send();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      if (answeredBytes === (to - from) * okBytes) resolve();
      else reject(new Error("the server closed the connection"));
    });
  });
}

function batchOf(from: number, to: number, key: Filling["key"], value: string): string {
  let text = "";
  for (let index = from; index < to; index++) {
    const name = key(index);
    text += `*3\r\n$3\r\nSET\r\n$${name.length}\r\n${name}\r\n$${value.length}\r\n${value}\r\n`;
  }
  return text;
}
