/** AUTH and HELLO: who the client is, and which protocol it speaks. */
import { replyErrors } from "@slotlog/resp";
import { defaultUser } from "../../acl/access-control.js";
import type { CommandContext } from "../../dispatch/context.js";
import { parseSafeInteger } from "../../store/int64.js";
import { redisVersion } from "../../version.js";
import type { CommandSpec } from "../spec.js";
import { isPrintableWord, nameError } from "./client/names.js";

const noPasswordText =
  "ERR AUTH <password> called without any password configured for the default user. Are you sure " +
  "your configuration is correct?";

const helloNoAuthText =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> " +
  "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol " +
  "version at the same time";

/** Logs the client in; false, with the error written, if that is refused. */
function authenticate(
  { client, node, reply }: CommandContext,
  credentials: { readonly user: string; readonly password: string },
  command: string,
): boolean {
  const { user, password } = credentials;
  if (node.acl.logIn(client, user, password, command)) return true;
  reply.error(replyErrors.wrongPass);
  return false;
}

function runAuth(context: CommandContext, argv: readonly string[]): void {
  const { node, reply } = context;
  if (argv.length > 3) {
    reply.error(replyErrors.syntax);
    return;
  }
  if (argv.length === 2 && node.acl.defaultUserHasNoPassword) {
    reply.error(noPasswordText);
    return;
  }
  const user = argv.length === 2 ? defaultUser : (argv[1] as string);
  const password = argv[argv.length - 1] as string;
  if (authenticate(context, { user, password }, argv[0] as string)) reply.ok();
}

interface HelloOptions {
  user: string | undefined;
  password: string;
  name: string | undefined;
}

/** The options behind the version, or the text of the error. */
function helloOptions(argv: readonly string[]): HelloOptions | string {
  const options: HelloOptions = { user: undefined, password: "", name: undefined };
  for (let i = 2; i < argv.length; i += 1) {
    const word = argv[i] as string;
    const more = argv.length - 1 - i;
    const option = word.toLowerCase();
    if (option === "auth" && more >= 2) {
      options.user = argv[i + 1] as string;
      options.password = argv[i + 2] as string;
      i += 2;
    } else if (option === "setname" && more >= 1) {
      options.name = argv[i + 1] as string;
      if (!isPrintableWord(options.name)) return nameError;
      i += 1;
    } else return `ERR Syntax error in HELLO option '${word}'`;
  }
  return options;
}

function runHello(context: CommandContext, argv: readonly string[]): void {
  const { client, reply } = context;
  let version = 0;
  if (argv.length >= 2) {
    const asked = parseSafeInteger(argv[1] as string);
    if (asked === undefined) {
      reply.error("ERR Protocol version is not an integer or out of range");
      return;
    }
    if (asked < 2 || asked > 3) {
      reply.error(replyErrors.noProto);
      return;
    }
    version = asked;
  }
  const options = helloOptions(argv);
  if (typeof options === "string") {
    reply.error(options);
    return;
  }
  const { user, password } = options;
  if (user !== undefined && !authenticate(context, { user, password }, argv[0] as string)) {
    return;
  }
  if (!client.authenticated) {
    reply.error(helloNoAuthText);
    return;
  }
  if (options.name !== undefined) client.name = options.name;
  if (version === 2 || version === 3) {
    client.protocol = version;
    reply.protocol = version;
  }
  greet(context);
}

function greet({ client, node, reply }: CommandContext): void {
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(redisVersion);
  reply.bulk("proto");
  reply.integer(client.protocol);
  reply.bulk("id");
  reply.integer(client.id);
  reply.bulk("mode");
  reply.bulk(node.config.clusterEnabled ? "cluster" : "standalone");
  reply.bulk("role");
  reply.bulk(node.role.isReplica ? "replica" : "master");
  reply.bulk("modules");
  reply.array(0);
}

export const auth: CommandSpec = {
  name: "auth",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["connection"],
  docs: {
    summary: "Logs in with a password, or with a user's name and password.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(N), N being the number of passwords of the user",
    syntax: "[username@6.0.0] password",
  },
  run: runAuth,
};

export const hello: CommandSpec = {
  name: "hello",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["connection"],
  docs: {
    summary:
      "Greets the server: chooses the protocol version, and may log in and name the connection.",
    since: "6.0.0",
    group: "connection",
    complexity: "O(1)",
    syntax: "arguments[protover [AUTH auth{username password}] [SETNAME clientname]]",
  },
  run: runHello,
};
