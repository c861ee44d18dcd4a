/** What waits in a socket of the `Net` port for a peer that does not read. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import * as net from "node:net";
import { describe, it } from "node:test";
import type { Socket } from "../ports.js";
import { systemNet } from "./net.js";

/** A socket of ours and a peer that does not read yet. */
async function pair(): Promise<{ ours: Socket; peer: net.Socket; close(): Promise<void> }> {
  const accepted = new EventEmitter();
  const listener = await systemNet().listen({ host: "127.0.0.1", port: 0 }, (socket) => {
    socket.setHandlers({ onData: () => {}, onClose: () => {} });
    accepted.emit("socket", socket);
  });
  const acceptance = once(accepted, "socket");
  const peer = net.connect(listener.port, "127.0.0.1");
  peer.pause();
  await once(peer, "connect");
  const [ours] = (await acceptance) as [Socket];
  return {
    ours,
    peer,
    async close() {
      peer.destroy();
      await listener.close();
    },
  };
}

describe("a socket whose peer does not read", () => {
  it("keeps of small chunks only their bytes, and sends all in order", async () => {
    const { ours, peer, close } = await pair();
    const expected: Buffer[] = [];
    let kept = 0;
    const write = (chunk: Buffer): void => {
      expected.push(Buffer.from(chunk));
      if (!ours.write(chunk)) kept += chunk.buffer.byteLength;
      // The memory is ours again: what was said must not change with it.
      else chunk.fill(0);
    };
    while (ours.bufferedBytes === 0) write(Buffer.alloc(256 * 1024, "a"));
    for (let n = 0; n < 20_000; n += 1) {
      const arena = Buffer.allocUnsafeSlow(256 * 1024);
      const length = arena.write(`:${n}\r\n`, 100);
      write(arena.subarray(100, 100 + length));
      if (n % 5000 === 0) write(Buffer.alloc(20_000, "b"));
    }
    assert.ok(kept < 2 * 1024 * 1024, `${kept} bytes are kept`);
    const wanted = Buffer.concat(expected);
    const got: Buffer[] = [];
    let bytes = 0;
    peer.on("data", (chunk: Buffer) => {
      got.push(chunk);
      bytes += chunk.length;
      if (bytes >= wanted.length) peer.emit("all");
    });
    peer.resume();
    await once(peer, "all");
    assert.ok(Buffer.concat(got).equals(wanted));
    assert.equal(ours.bufferedBytes, 0);
    await close();
  });
});
