/** ACL LOAD and SAVE: the file of users. */
import { basename, dirname } from "node:path";
import { errnoText, errorCode } from "../../adapters/disk-error.js";
import { replaceFileSync } from "../../aof/replace-file.js";
import { byteString, pathIn } from "../../config/byte-string.js";
import type { CommandContext } from "../../dispatch/context.js";
import { fail } from "../errors.js";
import type { CommandSpec } from "../spec.js";

const noFileText =
  "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via " +
  "the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration " +
  "file set) in order to store users in the Redis configuration.";

/** The path of the file; an error reply if none is configured. */
function filePath({ node }: CommandContext): string {
  const { aclfile, dir } = node.config;
  return aclfile === "" ? fail(noFileText) : pathIn(dir, aclfile);
}

function runLoad(context: CommandContext): void {
  const { node, reply } = context;
  const path = filePath(context);
  const content = node.ports.disk.readFileSync(path);
  if (content === undefined) {
    fail(`ERR Error loading ACLs, opening file '${byteString(path)}': No such file or directory`);
  }
  const errors = node.acl.load(content.toString("latin1"), byteString(path));
  if (errors === undefined) reply.ok();
  else reply.error(`ERR ${errors}`);
}

function runSave(context: CommandContext): void {
  const { node, reply } = context;
  const path = filePath(context);
  const content = Buffer.from(
    node.acl
      .lines()
      .map((line) => `${line}\n`)
      .join(""),
    "latin1",
  );
  try {
    replaceFileSync(node.ports.disk, { directory: dirname(path), name: basename(path), content });
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    node.ports.log.warning(`Writing ACL file for ACL SAVE: ${errnoText(error)}`);
    fail(
      "ERR There was an error trying to save the ACLs. Please check the server logs for more " +
        "information",
    );
  }
  reply.ok();
}

export const file: readonly CommandSpec[] = [
  {
    name: "load",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Takes all users from the ACL file; on errors nothing changes.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of users",
      syntax: "",
    },
    run: runLoad,
  },
  {
    name: "save",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Writes all users into the ACL file.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of users",
      syntax: "",
    },
    run: runSave,
  },
];
