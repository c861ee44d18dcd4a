// One scenario against one server: the steps in order, each with the bytes of its reply.

import type { RawClient } from "../harness/raw-client.js";
import type { Server } from "../harness/server.js";
import type { Step } from "./lines.js";

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
  /** RESP versions it runs in; scenarios that choose the version themselves run once. */
  readonly protocols: readonly (2 | 3)[];
}

const replyTimeoutMs = 3_000;

export async function play(
  server: Pick<Server, "client">,
  scenario: Scenario,
  protocol: 2 | 3,
): Promise<Buffer[]> {
  const connections = new Map<string, RawClient>();
  const connectionOf = async (name: string): Promise<RawClient> => {
    let client = connections.get(name);
    if (client === undefined) {
      client = await server.client();
      if (protocol === 3) await client.call("HELLO", "3");
      connections.set(name, client);
    }
    return client;
  };
  try {
    await (await connectionOf("setup")).call("FLUSHALL");
    const replies: Buffer[] = [];
    for (const step of scenario.steps) {
      replies.push(await take(await connectionOf(step.connection), step));
    }
    return replies;
  } finally {
    for (const client of connections.values()) client.close();
  }
}

async function take(client: RawClient, { action }: Step): Promise<Buffer> {
  const read = async (): Promise<Buffer> => {
    try {
      return await client.read(replyTimeoutMs);
    } catch (error) {
      return Buffer.from(`(${error instanceof Error ? error.message : String(error)})`);
    }
  };
  switch (action.kind) {
    case "read":
      return read();
    case "command":
      client.write(encode(action.args));
      return read();
    case "raw": {
      client.write(Buffer.from(action.bytes, "latin1"));
      if (action.replies === "close") return untilClosed(client);
      const replies: Buffer[] = [];
      for (let left = action.replies; left > 0; left--) replies.push(await read());
      return Buffer.concat(replies);
    }
  }
}

async function untilClosed(client: RawClient): Promise<Buffer> {
  const { promise: late, stop } = timeout();
  const result = await Promise.race([client.closed, late]);
  stop();
  return result;
}

function timeout(): { promise: Promise<Buffer>; stop: () => void } {
  let stop = (): void => {};
  const promise = new Promise<Buffer>((resolve) => {
    const timer = setTimeout(() => resolve(Buffer.from("(still open)")), replyTimeoutMs);
    stop = () => clearTimeout(timer);
  });
  return { promise, stop };
}

function encode(args: readonly string[]): Buffer {
  const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join("")}`, "latin1");
}
