/** ACL SETUSER, DELUSER, GETUSER, LIST, USERS, WHOAMI: the users. */
import type { ReplyWriter } from "@slotlog/resp";
import { hasBlanks } from "../../acl/rule-error.js";
import type { Selector } from "../../acl/selector.js";
import type { CommandContext } from "../../dispatch/context.js";
import type { CommandSpec } from "../spec.js";

function runSetUser({ node, reply }: CommandContext, argv: readonly string[]): void {
  const name = argv[2] as string;
  if (hasBlanks(name)) {
    reply.error("ERR Usernames can't contain spaces or null characters");
    return;
  }
  const error = node.acl.setUser(name, argv.slice(3));
  if (error === undefined) reply.ok();
  else reply.error(`ERR ${error}`);
}

function runDeleteUser({ node, reply }: CommandContext, argv: readonly string[]): void {
  const names = argv.slice(2);
  if (names.includes("default")) {
    reply.error("ERR The 'default' user cannot be removed");
    return;
  }
  reply.integer(names.filter((name) => node.acl.deleteUser(name)).length);
}

function replySelector(reply: ReplyWriter, selector: Selector): void {
  reply.bulk("commands");
  reply.bulk(selector.commands.describe());
  reply.bulk("keys");
  reply.bulk(selector.describeKeys());
  reply.bulk("channels");
  reply.bulk(selector.describeChannels());
}

function runGetUser({ node, reply }: CommandContext, argv: readonly string[]): void {
  const user = node.acl.find(argv[2] as string);
  if (user === undefined) {
    reply.nil();
    return;
  }
  reply.map(6);
  reply.bulk("flags");
  reply.set(user.flags.length);
  for (const flag of user.flags) reply.bulk(flag);
  reply.bulk("passwords");
  reply.array(user.passwords.length);
  for (const hash of user.passwords) reply.bulk(hash);
  const [root, ...others] = user.selectors;
  replySelector(reply, root as Selector);
  reply.bulk("selectors");
  reply.array(others.length);
  for (const selector of others) {
    reply.map(3);
    replySelector(reply, selector);
  }
}

function bulks(reply: ReplyWriter, words: readonly string[]): void {
  reply.array(words.length);
  for (const word of words) reply.bulk(word);
}

export const users: readonly CommandSpec[] = [
  {
    name: "setuser",
    arity: -3,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Changes a user by rules, or makes one; all rules are taken, or none.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of rules",
      syntax: "username [rule...]",
    },
    run: runSetUser,
  },
  {
    name: "deluser",
    arity: -3,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Deletes users and closes their connections.",
      since: "6.0.0",
      group: "server",
      complexity: "O(1) for each user",
      syntax: "username...",
    },
    run: runDeleteUser,
  },
  {
    name: "getuser",
    arity: 3,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Returns a user's flags, passwords and permissions.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of rules",
      syntax: "username",
    },
    run: runGetUser,
  },
  {
    name: "list",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Returns all users as the ACL file holds them.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of users",
      syntax: "",
    },
    run: ({ node, reply }) => bulks(reply, node.acl.lines()),
  },
  {
    name: "users",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Returns the names of all users.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of users",
      syntax: "",
    },
    run: ({ node, reply }) => {
      bulks(
        reply,
        node.acl.all().map((user) => user.name),
      );
    },
  },
  {
    name: "whoami",
    arity: 2,
    flags: ["noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Returns the name of this connection's user.",
      since: "6.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ client, reply }) => reply.bulk(client.user),
  },
];
