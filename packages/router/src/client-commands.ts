/** CLIENT and its subcommands, about the router's own clients. */
import { replyErrors } from "@slotlog/resp";
import { isPrintableWord, type LocalHost, nameError } from "./local.js";
import { bulkOf, integerReply } from "./merge.js";
import { errorReply, okReply } from "./render.js";
import type { Session } from "./session.js";

/** The reply; `undefined` if there is none to this command (CLIENT REPLY OFF). */
export function runClient(
  host: LocalHost,
  session: Session,
  words: readonly string[],
): Buffer | undefined {
  const [, sub = "", ...rest] = words;
  switch (sub.toLowerCase()) {
    case "id":
      return integerReply(session.id);
    case "getname":
      return session.name === "" ? nil(session) : bulkOf(session.name);
    case "setname":
      return setName(session, rest[0] ?? "");
    case "setinfo":
      return setInfo(session, rest);
    case "info":
      return text(session, `${clientLine(session, host.now())}\n`);
    case "list":
      return list(host, session, rest);
    case "kill":
      return kill(host, session, rest);
    case "reply":
      return replyMode(session, rest[0] ?? "");
    case "no-evict":
      return toggle(rest[0], (on) => void (session.noEvict = on));
    case "no-touch":
      return toggle(rest[0], (on) => void (session.noTouch = on));
    case "unblock":
      return unblock(host, rest);
    case "getredir":
      return integerReply(-1);
    case "tracking":
      return rest[0]?.toLowerCase() === "off" ? okReply : errorReply(noTracking);
    case "caching":
    case "trackinginfo":
      return errorReply(noTracking);
    default:
      return errorReply(
        `ERR slotlog router: CLIENT ${sub.toUpperCase()} is not available; see CLIENT HELP of a node`,
      );
  }
}

const noTracking =
  "ERR slotlog router: CLIENT TRACKING is not possible here, since clients share connections to " +
  "the nodes; a client that caches has to speak to the cluster itself";

function nil(session: Session): Buffer {
  return Buffer.from(session.protocol === 3 ? "_\r\n" : "$-1\r\n");
}

function text(session: Session, value: string): Buffer {
  return session.protocol === 3
    ? Buffer.from(`=${value.length + 4}\r\ntxt:${value}\r\n`, "latin1")
    : bulkOf(value);
}

function setName(session: Session, name: string): Buffer {
  if (!isPrintableWord(name)) return errorReply(nameError);
  session.name = name;
  return okReply;
}

function setInfo(session: Session, [attribute = "", value = ""]: readonly string[]): Buffer {
  const name = attribute.toLowerCase();
  if (name !== "lib-name" && name !== "lib-ver") {
    return errorReply(`ERR Unrecognized option '${attribute}'`);
  }
  if (!isPrintableWord(value)) {
    return errorReply(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  }
  if (name === "lib-name") session.libraryName = value;
  else session.libraryVersion = value;
  return okReply;
}

function toggle(word: string | undefined, set: (on: boolean) => void): Buffer {
  const mode = word?.toLowerCase();
  if (mode !== "on" && mode !== "off") return errorReply(replyErrors.syntax);
  set(mode === "on");
  return okReply;
}

function replyMode(session: Session, word: string): Buffer | undefined {
  switch (word.toLowerCase()) {
    case "on":
      session.replyMode = "on";
      return okReply;
    case "off":
      session.replyMode = "off";
      return undefined;
    case "skip":
      if (session.replyMode !== "off") session.replyMode = "skip";
      return undefined;
    default:
      return errorReply(replyErrors.syntax);
  }
}

function list(host: LocalHost, session: Session, options: readonly string[]): Buffer {
  const [option, ...values] = options;
  let chosen = [...host.sessions.values()];
  if (option?.toLowerCase() === "id" && values.length > 0) {
    const ids = values.map(Number);
    if (!ids.every((id) => Number.isSafeInteger(id))) return errorReply("ERR Invalid client ID");
    chosen = ids.flatMap((id) => host.sessions.get(id) ?? []);
  } else if (option?.toLowerCase() === "type" && values.length === 1) {
    const type = values[0]?.toLowerCase() ?? "";
    if (!/^(normal|master|slave|replica|pubsub)$/.test(type)) {
      return errorReply(`ERR Unknown client type '${values[0]}'`);
    }
    chosen = chosen.filter((each) => type === classOf(each));
  } else if (option !== undefined) {
    return errorReply(replyErrors.syntax);
  }
  return text(session, chosen.map((each) => `${clientLine(each, host.now())}\n`).join(""));
}

function classOf(session: Session): string {
  return session.subscriptions === undefined ? "normal" : "pubsub";
}

function kill(host: LocalHost, session: Session, options: readonly string[]): Buffer {
  const [only] = options;
  if (options.length === 1) {
    const found = [...host.sessions.values()].find((each) => each.address === only);
    if (found === undefined) return errorReply("ERR No such client");
    end(found, session);
    return okReply;
  }
  if (options.length === 0 || options.length % 2 !== 0) return errorReply(replyErrors.syntax);
  let skipsMe = true;
  const filters: ((each: Session) => boolean)[] = [];
  for (let i = 0; i < options.length; i += 2) {
    const value = options[i + 1] ?? "";
    switch (options[i]?.toLowerCase()) {
      case "id":
        if (!/^\d+$/.test(value)) return errorReply("ERR client-id should be greater than 0");
        filters.push((each) => each.id === Number(value));
        break;
      case "addr":
        filters.push((each) => each.address === value);
        break;
      case "laddr":
        filters.push((each) => localAddress(each) === value);
        break;
      case "user":
        filters.push((each) => userOf(each) === value);
        break;
      case "type":
        filters.push((each) => classOf(each) === value.toLowerCase());
        break;
      case "skipme":
        skipsMe = value.toLowerCase() !== "no";
        break;
      default:
        return errorReply(replyErrors.syntax);
    }
  }
  const chosen = [...host.sessions.values()].filter(
    (each) => filters.every((fits) => fits(each)) && !(skipsMe && each === session),
  );
  for (const each of chosen) end(each, session);
  return integerReply(chosen.length);
}

/** Its own reply still goes out to whoever kills itself. */
function end(session: Session, killer: Session): void {
  if (session === killer) session.end();
  else session.socket.destroy();
}

function unblock(host: LocalHost, [id = "", how = "timeout"]: readonly string[]): Buffer {
  if (!/^-?\d{1,15}$/.test(id)) return errorReply(replyErrors.notAnInteger);
  const mode = how.toLowerCase();
  if (mode !== "timeout" && mode !== "error") {
    return errorReply("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const session = host.sessions.get(Number(id));
  const was = session !== undefined && host.unblock(session, mode === "error");
  return integerReply(was ? 1 : 0);
}

function localAddress({ socket }: Session): string {
  return `${socket.localAddress}:${socket.localPort}`;
}

function userOf({ identity }: Session): string {
  return identity.credentials?.user ?? "default";
}

/** The fields that programs read, in Redis' order; what a router does not know is 0. */
function clientLine(session: Session, now: number): string {
  const seconds = (since: number): number => Math.max(0, Math.floor((now - since) / 1000));
  return [
    `id=${session.id}`,
    `addr=${session.address}`,
    `laddr=${localAddress(session)}`,
    "fd=-1",
    `name=${session.name}`,
    `age=${seconds(session.connectedAt)}`,
    `idle=${seconds(session.activeAt)}`,
    `flags=${session.subscriptions === undefined ? (session.transaction === undefined ? "N" : "x") : "P"}`,
    "db=0",
    "sub=0",
    "psub=0",
    "ssub=0",
    "multi=-1",
    `qbuf=${session.decoder.bufferedBytes}`,
    "qbuf-free=0",
    "argv-mem=0",
    "multi-mem=0",
    "rbs=0",
    "rbp=0",
    "obl=0",
    `oll=${session.pending.length}`,
    `omem=${session.heldBytes + session.output.bytes}`,
    "tot-mem=0",
    "events=r",
    `cmd=${session.lastCommand}`,
    `user=${userOf(session)}`,
    "redir=-1",
    `resp=${session.protocol}`,
    `lib-name=${session.libraryName}`,
    `lib-ver=${session.libraryVersion}`,
  ].join(" ");
}
