/** Chunks of replies to a socket, with as few system calls as may be. */
import type { Socket } from "../ports.js";

/** Several small chunks are joined up to this size: one system call instead of many. */
const joinedBytesMax = 64 * 1024;

export interface OutputCounter {
  countOutput(bytes: number): void;
}

/** True if the memory of some chunk is still in use. */
export function writeChunks(
  socket: Socket,
  chunks: readonly Buffer[],
  counter: OutputCounter,
): boolean {
  const only = chunks[0];
  if (only === undefined) return false;
  if (chunks.length === 1) {
    counter.countOutput(only.length);
    return !socket.write(only);
  }
  let inUse = false;
  let joined: Buffer[] = [];
  let joinedBytes = 0;
  for (const chunk of chunks) {
    if (joinedBytes + chunk.length > joinedBytesMax && joined.length > 0) {
      if (!writeJoined(socket, joined, joinedBytes, counter)) inUse = true;
      joined = [];
      joinedBytes = 0;
    }
    joined.push(chunk);
    joinedBytes += chunk.length;
  }
  if (!writeJoined(socket, joined, joinedBytes, counter)) inUse = true;
  return inUse;
}

function writeJoined(
  socket: Socket,
  chunks: readonly Buffer[],
  bytes: number,
  counter: OutputCounter,
): boolean {
  counter.countOutput(bytes);
  const only = chunks.length === 1 ? chunks[0] : undefined;
  return socket.write(only ?? Buffer.concat(chunks, bytes));
}
