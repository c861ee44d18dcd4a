/**
 * All users of a node: who may log in, and what each may do. It reads users from the configuration,
 * from commands and from the ACL file, and checks every command of every restricted client.
 */
import type { Command, CommandRegistry } from "../commands/registry.js";
import { categoryNames } from "../commands/registry.js";
import type { NodeConfig } from "../config/config.js";
import type { Client } from "../net/client.js";
import { AclLog, type DenialPlace, type DenialReason } from "./acl-log.js";
import type { CommandCatalogue } from "./command-rules.js";
import { hasBlanks, ruleErrorTexts } from "./rule-error.js";
import { type Denial, mayListen } from "./selector.js";
import { User, type UserParts } from "./user.js";

export const defaultUser = "default";

export interface AccessControlHost {
  readonly config: NodeConfig;
  readonly registry: CommandRegistry;
  now(): number;
  clients(): Iterable<Client>;
  /** Closes a connection whose user is gone or may less than it does. */
  disconnect(client: Client): void;
  describeClient(client: Client): string;
}

export class AccessControl {
  readonly log = new AclLog();
  readonly #host: AccessControlHost;
  readonly #parts: UserParts;
  #users = new Map<string, User>();
  readonly #default: User;

  constructor(host: AccessControlHost) {
    this.#host = host;
    this.#parts = {
      catalogue: catalogueOf(host.registry),
      allChannelsByDefault: () => host.config.aclPubsubDefault === "allchannels",
    };
    this.#default = this.#newDefault();
    this.#users.set(defaultUser, this.#default);
  }

  #newDefault(): User {
    const user = new User(defaultUser, this.#parts);
    for (const rule of ["+@all", "~*", "&*", "on", "nopass"]) user.apply(rule);
    return user;
  }

  /** `requirepass` changed. */
  setDefaultPassword(password: string): void {
    this.#default.apply("resetpass");
    this.#default.apply(password === "" ? "nopass" : `>${password}`);
  }

  /** New connections need no password. */
  get defaultUserIsOpen(): boolean {
    return this.#default.noPassword && this.#default.enabled;
  }

  get defaultUserHasNoPassword(): boolean {
    return this.#default.noPassword;
  }

  find(name: string): User | undefined {
    return this.#users.get(name);
  }

  /** Sorted by the bytes of their names. */
  all(): readonly User[] {
    return [...this.#users.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** As ACL LIST, the ACL file and CONFIG REWRITE hold them. */
  lines(): readonly string[] {
    return this.all().map((user) => `user ${user.name} ${user.describe()}`);
  }

  get newUser(): User {
    return new User("", this.#parts);
  }

  /** What a connection is before it says who it is. */
  assumeDefault(client: Client): void {
    client.user = defaultUser;
    client.account = this.#default;
    client.authenticated = this.defaultUserIsOpen;
  }

  /** Logs a client in; false, and noted in the log, if that is refused. */
  logIn(client: Client, name: string, password: string, command: string): boolean {
    const user = this.#users.get(name);
    if (user?.accepts(password) === true) {
      client.user = name;
      client.account = user;
      client.authenticated = true;
      return true;
    }
    this.#note(client, "auth", { object: command, user: name });
    return false;
  }

  /**
   * Changes a user, or makes one: all rules, or none. Returns the error's text without its code.
   */
  setUser(name: string, words: readonly string[]): string | undefined {
    const rules = mergeSelectors(words);
    if (typeof rules === "string") {
      return `Unmatched parenthesis in acl selector starting at '${rules}'.`;
    }
    const known = this.#users.get(name);
    const staged = new User(name, this.#parts);
    if (known !== undefined) staged.become(known);
    for (const rule of rules) {
      const refusal = staged.apply(rule);
      if (refusal !== undefined) {
        return `Error in ACL SETUSER modifier '${rule}': ${ruleErrorTexts[refusal]}`;
      }
    }
    if (known === undefined) this.#users.set(name, staged);
    else {
      this.#dropListeners(known, staged);
      known.become(staged);
    }
    return undefined;
  }

  /** False if there is no such user. */
  deleteUser(name: string): boolean {
    const user = this.#users.get(name);
    if (user === undefined || user === this.#default) return false;
    this.#users.delete(name);
    this.#disconnectUser(user);
    return true;
  }

  /** The users of an ACL file, in place of all there are; on errors nothing changes. */
  load(text: string, fileName: string): string | undefined {
    const fresh = new Map<string, User>();
    let errors = "";
    for (const [index, raw] of text.split("\n").entries()) {
      const line = raw.replaceAll(/^[ \t\r]+|[ \t\r]+$/g, "");
      if (line !== "") errors += this.#loadLine(line.split(" "), `${fileName}:${index + 1}`, fresh);
    }
    if (errors !== "") {
      return `${errors}WARNING: ACL errors detected, no change to the previously active ACL rules was performed`;
    }
    const before = [...this.#users.values()];
    this.#default.become(fresh.get(defaultUser) ?? this.#newDefault());
    fresh.set(defaultUser, this.#default);
    this.#users = fresh;
    for (const user of before) if (user !== this.#default) this.#disconnectUser(user);
    return undefined;
  }

  #loadLine(words: readonly string[], place: string, into: Map<string, User>): string {
    const [keyword, name, ...rest] = words;
    if (keyword !== "user" || name === undefined) {
      return `${place} should start with user keyword followed by the username. `;
    }
    if (hasBlanks(name)) return `'${place}: username '${name}' contains invalid characters. `;
    if (into.has(name)) {
      return `WARNING: Duplicate user '${name}' found on line ${place.slice(place.lastIndexOf(":") + 1)}. `;
    }
    const user = new User(name, this.#parts);
    into.set(name, user);
    const rules = mergeSelectors(rest);
    if (typeof rules === "string") return `${place}: Unmatched parenthesis in selector definition.`;
    let errors = "";
    let isToldOnce = false;
    for (const rule of rules) {
      const refusal = user.apply(rule);
      if (refusal === undefined) continue;
      const text = ruleErrorTexts[refusal];
      if (refusal === "unknown-command") {
        errors += `${place}: Error in applying operation '${rule}': ${text}. `;
      } else if (!isToldOnce) {
        // Only the first: what it is about could be a password.
        errors += `${place}: ${text}. `;
        isToldOnce = true;
      }
    }
    return errors;
  }

  /** `user` lines of the configuration file. Returns why they cannot be taken, if so. */
  configure(lines: readonly (readonly string[])[]): string | undefined {
    const seen = new Set<string>();
    for (const [name = "", ...words] of lines) {
      if (hasBlanks(name)) return "Spaces not allowed in ACL usernames";
      if (seen.has(name)) {
        return "Duplicate user found. A user can only be defined once in config files";
      }
      seen.add(name);
      const error = this.setUser(name, name === defaultUser ? ["reset", ...words] : words);
      if (error !== undefined)
        return `Error loading ACL rules for the user named '${name}': ${error}`;
    }
    return undefined;
  }

  /** The text of the refusal if the client's user may not run this, noted in the log. */
  check(client: Client, command: Command, argv: readonly string[]): string | undefined {
    const denial = this.denial(client, command, argv);
    return denial === undefined
      ? undefined
      : `NOPERM ${denialText(denial, { user: client.user, command })}`;
  }

  /** As `check`, for a command that runs at `place`. */
  denial(
    client: Client,
    command: Command,
    argv: readonly string[],
    place: DenialPlace = client.inTransaction ? "multi" : "toplevel",
  ): Denial | undefined {
    const denial = client.account?.check(command, argv);
    if (denial === undefined) return undefined;
    const object = denial.reason === "command" ? command.fullName : (argv[denial.index] as string);
    this.#note(client, denial.reason, { object, user: client.user, place });
    return denial;
  }

  #note(
    client: Client,
    reason: DenialReason,
    what: { readonly object: string; readonly user: string; readonly place?: DenialPlace },
  ): void {
    const { config, describeClient, now } = this.#host;
    const place = what.place ?? (client.inTransaction ? "multi" : "toplevel");
    const { object, user } = what;
    const event = { reason, place, object, user, clientInfo: describeClient(client), at: now() };
    this.log.add(event, config.acllogMaxLen);
  }

  #disconnectUser(user: User): void {
    for (const client of [...this.#host.clients()]) {
      if (client.account !== user) continue;
      // Until it is closed, it may do nothing any more.
      this.assumeDefault(client);
      client.authenticated = false;
      this.#host.disconnect(client);
    }
  }

  /** Subscribers that listen to what their user may not hear any more are closed. */
  #dropListeners(before: User, after: User): void {
    if (after.selectors.some((selector) => selector.allChannels)) return;
    const allowed = after.selectors.flatMap((selector) => selector.channels);
    const kept = before.selectors.every(
      (selector) =>
        !selector.allChannels && selector.channels.every((each) => allowed.includes(each)),
    );
    if (kept) return;
    for (const client of [...this.#host.clients()]) {
      if (client.account !== before || client.subscriptions === 0) continue;
      const patterns = [...(client.patterns ?? [])];
      const channels = [...(client.channels ?? []), ...(client.shardChannels ?? [])];
      const stays =
        patterns.every((name) => mayListen(allowed, name, true)) &&
        channels.every((name) => mayListen(allowed, name, false));
      if (!stays) this.#host.disconnect(client);
    }
  }
}

/** What a client is told; `verbose` names the key or channel, as ACL DRYRUN does. */
export function denialText(
  denial: Denial,
  what: { readonly user: string; readonly command: Command; readonly named?: string },
): string {
  const { user, command, named } = what;
  if (denial.reason === "command") {
    return `User ${user} has no permissions to run the '${command.fullName}' command`;
  }
  if (named === undefined) return `No permissions to access a ${denial.reason}`;
  return `User ${user} has no permissions to access the '${named}' ${denial.reason}`;
}

/** Words from `(…` to `…)` are one rule; the first word of one that is not closed is returned. */
function mergeSelectors(words: readonly string[]): readonly string[] | string {
  const merged: string[] = [];
  let open: string[] | undefined;
  for (const word of words) {
    if (open === undefined && word.startsWith("(") && !word.endsWith(")")) open = [word];
    else if (open === undefined) merged.push(word);
    else {
      open.push(word);
      if (!word.endsWith(")")) continue;
      merged.push(open.join(" "));
      open = undefined;
    }
  }
  return open === undefined ? merged : (open[0] as string);
}

function catalogueOf(registry: CommandRegistry): CommandCatalogue {
  const commands = registry.declared.flatMap((command) => [
    command,
    ...(command.subcommands?.values() ?? []),
  ]);
  const byName = new Map(commands.map((command) => [command.fullName, command]));
  return {
    find: (fullName) => byName.get(fullName),
    all: () => commands,
    category: (name) => categoryNames.find((each) => each === name),
  };
}
