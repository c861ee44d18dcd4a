/**
 * What a client has told about itself with REPLCONF, before and after it became a replica. It
 * answers in Redis' words and knows no sockets.
 */

import { type Argument, replyErrors } from "@slotlog/resp";

/** Redis' `NET_HOST_STR_LEN`, a terminating zero included. */
const addressLengthMax = 255;

export class ReplicaPeer {
  listeningPort = 0;
  address: string | undefined;
  /** Understands a data set that ends with a mark instead of having a length. */
  canReadMark = false;
  /** Understands that the id changes when the stream goes on. */
  canChangeId = false;
  /** Wants the data set and no stream. */
  dataOnly = false;
  wantsKeys = true;
  wantsFunctions = true;
}

/** `none`: REPLCONF of this kind is never answered. */
export type ReplconfAnswer =
  | { readonly kind: "ok" }
  | { readonly kind: "none" }
  | { readonly kind: "error"; readonly text: string };

export interface ReplconfHandlers {
  /** The replica has the stream up to `offset`, and on disk up to `durableOffset`. */
  acknowledge(offset: number, durableOffset: number | undefined): void;
  /** Our primary wants to know our offset. */
  sendAck(): void;
}

const none: ReplconfAnswer = { kind: "none" };

export function answerReplconf(
  peer: ReplicaPeer,
  argv: readonly Argument[],
  handlers: ReplconfHandlers,
): ReplconfAnswer {
  if (argv.length % 2 === 0) return { kind: "error", text: replyErrors.syntax };
  for (let index = 1; index < argv.length; index += 2) {
    const option = String(argv[index]);
    const value = String(argv[index + 1]);
    switch (option.toLowerCase()) {
      case "ack": {
        const offset = safeInteger(value);
        const durable = String(argv[index + 2] ?? "").toLowerCase() === "fack";
        if (offset === undefined) return none;
        handlers.acknowledge(offset, durable ? safeInteger(String(argv[index + 3])) : undefined);
        return none;
      }
      case "getack":
        handlers.sendAck();
        return none;
      default: {
        const error = setOption(peer, option, value);
        if (error !== undefined) return { kind: "error", text: error };
      }
    }
  }
  return { kind: "ok" };
}

/** Returns the error text, if any. */
function setOption(peer: ReplicaPeer, option: string, value: string): string | undefined {
  switch (option.toLowerCase()) {
    case "listening-port": {
      const port = safeInteger(value);
      if (port === undefined) return replyErrors.notAnInteger;
      peer.listeningPort = port;
      return undefined;
    }
    case "ip-address":
      if (value.length >= addressLengthMax) {
        return `ERR REPLCONF ip-address provided by replica instance is too long: ${value.length} bytes`;
      }
      peer.address = value;
      return undefined;
    case "capa":
      // Capabilities we do not understand are ignored, as Redis does.
      if (value.toLowerCase() === "eof") peer.canReadMark = true;
      if (value.toLowerCase() === "psync2") peer.canChangeId = true;
      return undefined;
    case "rdb-only": {
      const flag = safeInteger(value);
      if (flag === undefined) return replyErrors.notAnInteger;
      if (flag !== 0 && flag !== 1) return "ERR value is out of range, value must between 0 and 1";
      peer.dataOnly = flag === 1;
      return undefined;
    }
    case "rdb-filter-only":
      peer.wantsKeys = false;
      peer.wantsFunctions = false;
      for (const filter of value.split(/\s+/)) {
        if (filter === "") continue;
        if (filter.toLowerCase() !== "functions") {
          return `ERR Unsupported rdb-filter-only option: ${filter}`;
        }
        peer.wantsFunctions = true;
      }
      return undefined;
    default:
      return `ERR Unrecognized REPLCONF option: ${option}`;
  }
}

function safeInteger(text: string): number | undefined {
  return /^-?[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text))
    ? Number(text)
    : undefined;
}
