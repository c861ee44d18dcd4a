/** CLIENT ID, INFO, LIST, GETNAME, SETNAME, SETINFO: who is connected. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import { parseSafeInteger } from "../../../store/int64.js";
import type { CommandSpec } from "../../spec.js";
import { classNamed, classOf, clientLine } from "./line.js";
import { isPrintableWord, nameError } from "./names.js";

function runList(context: CommandContext, argv: readonly string[]): void {
  const { node, now, reply } = context;
  const option = argv[2]?.toLowerCase();
  let text = "";
  if (option === "type" && argv.length === 4) {
    const asked = classNamed(argv[3] as string);
    if (asked === undefined) {
      reply.error(`ERR Unknown client type '${argv[3]}'`);
      return;
    }
    for (const each of node.clients.all()) {
      if (classOf(each) === asked) text += `${clientLine(each, now)}\n`;
    }
  } else if (option === "id" && argv.length > 3) {
    for (const word of argv.slice(3)) {
      const id = parseSafeInteger(word);
      if (id === undefined) {
        reply.error("ERR Invalid client ID");
        return;
      }
      const each = node.clients.get(id);
      if (each !== undefined) text += `${clientLine(each, now)}\n`;
    }
  } else if (argv.length !== 2) {
    reply.error(replyErrors.syntax);
    return;
  } else {
    for (const each of node.clients.all()) text += `${clientLine(each, now)}\n`;
  }
  reply.verbatim("txt", text);
}

function runSetInfo({ client, reply }: CommandContext, argv: readonly string[]): void {
  const [, , attribute = "", value = ""] = argv;
  const name = attribute.toLowerCase();
  if (name !== "lib-name" && name !== "lib-ver") {
    reply.error(`ERR Unrecognized option '${attribute}'`);
    return;
  }
  if (!isPrintableWord(value)) {
    reply.error(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
    return;
  }
  if (name === "lib-name") client.libraryName = value;
  else client.libraryVersion = value;
  reply.ok();
}

function runSetName({ client, reply }: CommandContext, argv: readonly string[]): void {
  const name = argv[2] as string;
  if (!isPrintableWord(name)) {
    reply.error(nameError);
    return;
  }
  client.name = name;
  reply.ok();
}

export const identity: readonly CommandSpec[] = [
  {
    name: "id",
    arity: 2,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Returns the number of this connection, which is never used twice.",
      since: "5.0.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ client, reply }) => reply.integer(client.id),
  },
  {
    name: "info",
    arity: 2,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    tips: ["nondeterministic_output"],
    docs: {
      summary: "Describes this connection.",
      since: "6.2.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ client, now, reply }) => {
      reply.verbatim("txt", `${clientLine(client, now)}\n`);
    },
  },
  {
    name: "list",
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: ["connection"],
    tips: ["nondeterministic_output"],
    docs: {
      summary: "Describes the open connections, one on each line.",
      since: "2.4.0",
      group: "connection",
      complexity: "O(N), N being the number of connections",
      syntax:
        "[TYPE client-type@5.0.0{NORMAL | MASTER | REPLICA | PUBSUB}] [ID client-id@6.2.0...]",
    },
    run: runList,
  },
  {
    name: "getname",
    arity: 2,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Returns the name of this connection.",
      since: "2.6.9",
      group: "connection",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ client, reply }) => {
      if (client.name === "") reply.nil();
      else reply.bulk(client.name);
    },
  },
  {
    name: "setname",
    arity: 3,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Names this connection; an empty name takes it away.",
      since: "2.6.9",
      group: "connection",
      complexity: "O(1)",
      syntax: "connection-name",
    },
    run: runSetName,
  },
  {
    name: "setinfo",
    arity: 4,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Tells which client library this connection is of.",
      since: "7.2.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "attr{LIB-NAME libname | LIB-VER libver}",
    },
    run: runSetInfo,
  },
];
