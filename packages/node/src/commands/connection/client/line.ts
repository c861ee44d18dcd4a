/** One line of CLIENT LIST, and the classes of clients it can be asked for. */
import { isUnixSocket } from "../../../net/addresses.js";
import type { Client } from "../../../net/client.js";
import { clientBytes } from "../../../net/client-memory.js";

export type ClientClass = "normal" | "master" | "replica" | "pubsub";

export function classOf(client: Client): ClientClass {
  if (client.kind === "primary") return "master";
  if (client.isReplica) return "replica";
  return client.subscriptions > 0 ? "pubsub" : "normal";
}

/** The class of that name in any case; `slave` is the older word for `replica`. */
export function classNamed(name: string): ClientClass | undefined {
  switch (name.toLowerCase()) {
    case "normal":
      return "normal";
    case "master":
      return "master";
    case "slave":
    case "replica":
      return "replica";
    case "pubsub":
      return "pubsub";
    default:
      return undefined;
  }
}

function flagsOf(client: Client): string {
  let flags = "";
  if (client.isReplica) flags += "S";
  if (client.monitor) flags += "O";
  if (client.kind === "primary") flags += "M";
  if (client.subscriptions > 0) flags += "P";
  if (client.inTransaction) flags += "x";
  if (client.blocked !== undefined) flags += "b";
  if (client.tracking !== undefined) {
    flags += "t";
    if (client.tracking.redirectBroken) flags += "R";
    if (client.tracking.broadcast) flags += "B";
  }
  if (client.watchBroken) flags += "d";
  if (client.closing) flags += "c";
  if (isUnixSocket(client.link.remoteAddress)) flags += "U";
  if (client.readOnly) flags += "r";
  if (client.noEvict) flags += "e";
  if (client.noTouch) flags += "T";
  return flags === "" ? "N" : flags;
}

/**
 * The fields in Redis' order. Sizes of its buffers that we do not have are 0, and so is the file
 * descriptor -1: sockets have none that a program could use.
 */
export function clientLine(client: Client, now: number): string {
  const { link } = client;
  const seconds = (since: number): number => Math.floor(now / 1000) - Math.floor(since / 1000);
  const omem = link.outputBufferBytes;
  return [
    `id=${client.id}`,
    `addr=${link.remoteAddress}`,
    `laddr=${link.localAddress}`,
    "fd=-1",
    `name=${client.name}`,
    `age=${seconds(client.createdAt)}`,
    `idle=${seconds(client.lastActiveAt)}`,
    `flags=${flagsOf(client)}`,
    `db=${client.database.index}`,
    `sub=${client.channels?.size ?? 0}`,
    `psub=${client.patterns?.size ?? 0}`,
    `ssub=${client.shardChannels?.size ?? 0}`,
    `multi=${client.inTransaction ? client.queue.length : -1}`,
    `qbuf=${link.queryBufferBytes}`,
    "qbuf-free=0",
    `argv-mem=${link.argumentBytes ?? 0}`,
    `multi-mem=${client.queuedBytes}`,
    "rbs=0",
    "rbp=0",
    "obl=0",
    `oll=${link.outputChunks}`,
    `omem=${omem}`,
    `tot-mem=${clientBytes(client)}`,
    `events=${omem > 0 ? "rw" : "r"}`,
    `cmd=${client.lastCommand?.fullName ?? "NULL"}`,
    `user=${client.user}`,
    `redir=${client.tracking?.redirectTo ?? -1}`,
    `resp=${client.protocol}`,
    `lib-name=${client.libraryName}`,
    `lib-ver=${client.libraryVersion}`,
  ].join(" ");
}
