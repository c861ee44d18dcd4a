/** The `Net` port on real sockets: order, back-pressure, ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket } from "../ports.js";
import { systemNet } from "./net.js";

/** A connected pair: what the listener accepted, and what dialled it. */
async function pair(): Promise<{ near: Socket; far: Socket; close: () => Promise<void> }> {
  const net = systemNet();
  let resolveNear: (socket: Socket) => void = () => {};
  const accepted = new Promise<Socket>((resolve) => {
    resolveNear = resolve;
  });
  const listener = await net.listen({ host: "127.0.0.1", port: 0 }, (socket) =>
    resolveNear(socket),
  );
  const far = net.dial({ host: "127.0.0.1", port: listener.port });
  return { near: await accepted, far, close: () => listener.close() };
}

function received(socket: Socket, until: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.setHandlers({
      onData: (chunk) => {
        chunks.push(Buffer.from(chunk));
        bytes += chunk.length;
        if (bytes >= until) resolve(Buffer.concat(chunks));
      },
      onClose: () => resolve(Buffer.concat(chunks)),
    });
  });
}

test("what was written before the connection was up arrives first", async () => {
  const { near, far, close } = await pair();
  far.setHandlers({ onData: () => {}, onClose: () => {} });
  far.write(Buffer.from("one"));
  const all = received(near, 6);
  far.write(Buffer.from("two"));
  assert.equal((await all).toString(), "onetwo");
  far.destroy();
  await close();
});

test("more than the kernel takes waits in order and is drained", async () => {
  const { near, far, close } = await pair();
  const parts = Array.from({ length: 40 }, (_, index) => Buffer.alloc(256 * 1024, index));
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  let drained: () => void = () => {};
  const drain = new Promise<void>((resolve) => {
    drained = resolve;
  });
  near.setHandlers({ onData: () => {}, onDrain: () => drained(), onClose: () => {} });
  far.pause();
  const taken = parts.map((part) => near.write(part));
  assert.equal(taken.at(-1), false);
  assert.ok(near.bufferedBytes > 0);
  const all = received(far, total);
  far.resume();
  assert.ok((await all).equals(Buffer.concat(parts)));
  await drain;
  assert.equal(near.bufferedBytes, 0);
  far.destroy();
  await close();
});

test("end sends what is buffered, then closes", async () => {
  const { near, far, close } = await pair();
  near.setHandlers({ onData: () => {}, onClose: () => {} });
  const big = Buffer.alloc(4 * 1024 * 1024, 7);
  const all = received(far, Number.POSITIVE_INFINITY);
  near.write(big);
  near.end();
  assert.equal((await all).length, big.length);
  await close();
});

test("a paused socket delivers nothing until it is resumed", async () => {
  const { near, far, close } = await pair();
  let bytes = 0;
  const data = new Promise<void>((resolve) => {
    near.setHandlers({
      onData: (chunk) => {
        bytes += chunk.length;
        resolve();
      },
      onClose: () => {},
    });
  });
  near.pause();
  far.setHandlers({ onData: () => {}, onClose: () => {} });
  far.write(Buffer.from("hello"));
  // The other direction works meanwhile: its echo shows that the bytes have had their time.
  const echo = received(far, 4);
  near.write(Buffer.from("echo"));
  await echo;
  assert.equal(bytes, 0);
  near.resume();
  await data;
  assert.equal(bytes, 5);
  far.destroy();
  await close();
});
