/** PING and ECHO. */
import type { CommandSpec } from "../spec.js";

export const ping: CommandSpec = {
  name: "ping",
  arity: -1,
  flags: ["fast"],
  categories: ["connection"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  allowedWhileSubscribed: true,
  tellsDiskTrouble: true,
  docs: {
    summary: "Answers PONG, or the message given: is the server alive?",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    syntax: "[message]",
  },
  run({ client, reply }, argv) {
    if (argv.length > 2) {
      reply.error("ERR wrong number of arguments for 'ping' command");
      return;
    }
    const message = argv[1];
    if (client.subscriptions > 0 && client.protocol === 2) {
      // A RESP2 subscriber could not tell a plain reply from a message.
      reply.array(2);
      reply.bulk("pong");
      reply.bulk(message ?? "");
    } else if (message === undefined) reply.simple("PONG");
    else reply.bulk(message);
  },
};
