/** Why a rule of ACL SETUSER is refused, in Redis' words. */

export type RuleError =
  | "unknown-command"
  | "syntax"
  | "keys-after-all"
  | "channels-after-all"
  | "no-such-password"
  | "bad-hash"
  | "argument-of-subcommand";

export const ruleErrorTexts: Readonly<Record<RuleError, string>> = {
  "unknown-command": "Unknown command or category name in ACL",
  syntax: "Syntax error",
  "keys-after-all":
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have " +
    "any effect. Try 'resetkeys' to start with an empty list of patterns",
  "channels-after-all":
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not " +
    "have any effect. Try 'resetchannels' to start with an empty list of channels",
  "no-such-password": "The password you are trying to remove from the user does not exist",
  "bad-hash":
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal " +
    "characters",
  "argument-of-subcommand": "Allowing first-arg of a subcommand is not supported",
};

/** Names and patterns without blanks and zeros can be written into files as they are. */
export function hasBlanks(text: string): boolean {
  return /[ \t\n\v\f\r\0]/.test(text);
}
