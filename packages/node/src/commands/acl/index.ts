/** ACL: the container of its subcommands. */
import { helpSubcommand } from "../help.js";
import type { CommandSpec } from "../spec.js";
import { file } from "./file.js";
import { tools } from "./tools.js";
import { users } from "./users.js";

const help = helpSubcommand({
  container: "acl",
  since: "6.0.0",
  group: "server",
  lines: [
    "CAT [<category>]",
    "    List all commands that belong to <category>, or all command categories",
    "    when no category is specified.",
    "DELUSER <username> [<username> ...]",
    "    Delete a list of users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Returns whether the user can execute the given command without executing the command.",
    "GETUSER <username>",
    "    Get the user's details.",
    "GENPASS [<bits>]",
    "    Generate a secure 256-bit user password. The optional `bits` argument can",
    "    be used to specify a different size.",
    "LIST",
    "    Show users details in config file format.",
    "LOAD",
    "    Reload users from the ACL file.",
    "LOG [<count> | RESET]",
    "    Show the ACL log entries.",
    "SAVE",
    "    Save the current config to the ACL file.",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "    Create or modify a user with the specified attributes.",
    "USERS",
    "    List all the registered usernames.",
    "WHOAMI",
    "    Return the current connection username.",
  ],
});

const acl: CommandSpec = {
  name: "acl",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Users and their permissions.",
    since: "6.0.0",
    group: "server",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands: [...users, ...tools, ...file, help],
};

export const accessControl: readonly CommandSpec[] = [acl];
