// Fills a server as fast as it takes what comes, with as little work here as possible: whoever
// measures has to be faster than what is measured.

import { connect } from "node:net";

const defaultBatch = 1_000;
/** Batches under way: enough to keep the server busy, few enough to bound what it buffers. */
const batchesAhead = 4;
const lineFeed = 0x0a;
const minus = 0x2d;

interface Span {
  readonly port: number;
  readonly from: number;
  readonly to: number;
  /** Commands in one write: what a server does in one go, which those beside have to wait for. */
  readonly batch?: number;
}

export interface Filling extends Span {
  readonly key: (index: number) => string;
  readonly value: string;
}

export interface Commands extends Span {
  /** Encoded, as `encoded` does it. */
  readonly command: (index: number) => string;
  /** Lines that each reply has: two where it is a bulk string. */
  readonly replyLines: number;
}

/** SET of a value under each key. */
export function fill({ key, value, ...span }: Filling): Promise<void> {
  const end = `$${value.length}\r\n${value}\r\n`;
  const command = (index: number): string => {
    const name = key(index);
    return `*3\r\n$3\r\nSET\r\n$${name.length}\r\n${name}\r\n${end}`;
  };
  return send({ ...span, command, replyLines: 1 });
}

/** A command of latin1 words. */
export function encoded(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}

/** Sends a command for each index, and resolves when all are answered; an error rejects. */
export function send(commands: Commands): Promise<void> {
  const { port, from, to, command, replyLines, batch = defaultBatch } = commands;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let sent = from;
    let lines = 0;
    let atLineStart = true;
    const sendMore = (): void => {
      const answered = from + Math.floor(lines / replyLines);
      while (sent < to && sent - answered < batchesAhead * batch) {
        const end = Math.min(to, sent + batch);
        let text = "";
        for (; sent < end; sent++) text += command(sent);
        socket.write(text, "latin1");
      }
      if (answered === to) socket.end();
    };
    socket.on("connect", sendMore);
    socket.on("data", (chunk) => {
      for (const byte of chunk) {
        // No error may pass for an answer.
        if (atLineStart && byte === minus) {
          socket.destroy(new Error(`${command(from)} answered ${chunk.toString("latin1")}`));
          return;
        }
        atLineStart = byte === lineFeed;
        if (atLineStart) lines++;
      }
      sendMore();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      if (lines === (to - from) * replyLines) resolve();
      else reject(new Error("the server closed the connection"));
    });
  });
}
