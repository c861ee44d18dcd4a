/**
 * What a replica says to its primary until it knows how they will synchronise: PING, AUTH, REPLCONF
 * (port, address, capabilities), PSYNC. A reply in, what to do next out; no sockets, no time.
 */

import { assert } from "./assert.js";
import { type HistorySpan, spanOfInfo } from "./divergence.js";
import type { HistoryPosition } from "./history.js";

export interface HandshakeOptions {
  readonly announcedPort: number;
  readonly announcedAddress: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Where our data stand, or `undefined` to ask for a full synchronisation. */
  readonly position: HistoryPosition | undefined;
  /** The one we call is a replica of ours and shall become our primary (FAILOVER). */
  readonly takesOver?: boolean;
  /** Ask for its history first: it may replace ours. */
  readonly asksHistory?: boolean;
}

export interface HandshakeReply {
  /** Starts with `-`, so to say. */
  readonly isError: boolean;
  readonly text: string;
}

export type HandshakeStep =
  | { readonly kind: "wait" }
  | { readonly kind: "send"; readonly commands: readonly (readonly string[])[] }
  /** The data set follows; then the stream from the byte after `position.offset`. */
  | { readonly kind: "full"; readonly position: HistoryPosition }
  /** The data set follows, from a primary without PSYNC: its history has no name. */
  | { readonly kind: "full-unnamed"; readonly commands: readonly (readonly string[])[] }
  /** The stream goes on where we are; `id` if the primary has a new one. */
  | { readonly kind: "continue"; readonly id: string | undefined }
  /** Hang up and try again later. */
  | { readonly kind: "retry"; readonly reason: string }
  /** The one that shall become our primary will not. */
  | { readonly kind: "refused"; readonly reason: string };

type Expected = "ping" | "auth" | "port" | "address" | "history" | "capabilities" | "psync";

const idLength = 40;

export class Handshake {
  readonly #options: HandshakeOptions;
  /** Replies that are still to come, in order. */
  readonly #expected: Expected[] = ["ping"];

  #history: HistorySpan | undefined;

  /** What the primary said of its history, if it was asked and said it. */
  get history(): HistorySpan | undefined {
    return this.#history;
  }

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** What to send when the connection is up. */
  start(): HandshakeStep {
    return { kind: "send", commands: [["PING"]] };
  }

  reply(reply: HandshakeReply): HandshakeStep {
    const expected = this.#expected.shift();
    assert(expected !== undefined, "a reply nobody asked for");
    switch (expected) {
      case "ping":
        return this.#pong(reply);
      case "auth":
        if (reply.isError) {
          return { kind: "retry", reason: `Unable to AUTH to MASTER: ${reply.text}` };
        }
        return { kind: "wait" };
      // Old primaries know some of these not; that is no reason to stop.
      case "port":
      case "address":
        return { kind: "wait" };
      case "history":
        if (!reply.isError) this.#history = spanOfInfo(reply.text);
        return { kind: "wait" };
      case "capabilities":
        return this.#psync();
      case "psync":
        return this.#outcome(reply);
      default:
        return expected satisfies never;
    }
  }

  #pong(reply: HandshakeReply): HandshakeStep {
    // A primary that wants a password first has answered too.
    const alive =
      !reply.isError ||
      reply.text.startsWith("NOAUTH") ||
      reply.text.startsWith("NOPERM") ||
      reply.text.startsWith("ERR operation not permitted");
    if (!alive) return { kind: "retry", reason: `error reply to PING: ${reply.text}` };
    const { user, password, announcedPort, announcedAddress } = this.#options;
    const commands: string[][] = [];
    if (password !== undefined) {
      commands.push(user === undefined ? ["AUTH", password] : ["AUTH", user, password]);
      this.#expected.push("auth");
    }
    commands.push(["REPLCONF", "listening-port", String(announcedPort)]);
    this.#expected.push("port");
    if (announcedAddress !== undefined) {
      commands.push(["REPLCONF", "ip-address", announcedAddress]);
      this.#expected.push("address");
    }
    if (this.#options.asksHistory === true) {
      commands.push(["INFO", "replication"]);
      this.#expected.push("history");
    }
    commands.push(["REPLCONF", "capa", "eof", "capa", "psync2"]);
    this.#expected.push("capabilities");
    return { kind: "send", commands };
  }

  #psync(): HandshakeStep {
    const position = this.#options.position;
    this.#expected.push("psync");
    const [id, offset] =
      position === undefined ? ["?", "-1"] : [position.id, String(position.offset + 1)];
    const command = ["PSYNC", id, offset];
    if (this.#options.takesOver === true) command.push("FAILOVER");
    return { kind: "send", commands: [command] };
  }

  #outcome(reply: HandshakeReply): HandshakeStep {
    if (reply.isError) {
      const { text } = reply;
      if (this.#options.takesOver === true) return { kind: "refused", reason: text };
      if (!text.startsWith("ERR")) return { kind: "retry", reason: `PSYNC was refused: ${text}` };
      // "unknown command": a primary older than 2.8, or a proxy.
      return { kind: "full-unnamed", commands: [["SYNC"]] };
    }
    const [verb, id, offset] = reply.text.split(" ");
    if (verb === "CONTINUE") {
      if (this.#options.position === undefined) {
        return { kind: "retry", reason: "the primary continues a history we do not have" };
      }
      return { kind: "continue", id: id?.length === idLength ? id : undefined };
    }
    const position = { id: id ?? "", offset: Number(offset) };
    if (
      verb !== "FULLRESYNC" ||
      position.id.length !== idLength ||
      !Number.isSafeInteger(position.offset) ||
      position.offset < 0
    ) {
      return { kind: "retry", reason: `unexpected reply to PSYNC: ${reply.text.slice(0, 100)}` };
    }
    return { kind: "full", position };
  }
}
