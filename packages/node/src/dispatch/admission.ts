/**
 * Admission: the ordered list of guards that a command passes before it runs or is queued. The
 * order is Redis' (`processCommand`), because it decides which of several errors a client sees.
 */
import { replyErrors } from "@slotlog/resp";
import { type Command, Flag } from "../commands/registry.js";
import { isLocal } from "../net/addresses.js";
import type { CommandContext } from "./context.js";
import { route } from "./route.js";

/** The error text, without the leading `-`, or `undefined` if the command may go on. */
export type Guard = (context: CommandContext, argv: readonly string[]) => string | undefined;

export function argumentCount(command: Command, argv: readonly string[]): string | undefined {
  const { arity } = command;
  if (arity > 0 ? argv.length === arity : argv.length >= -arity) return undefined;
  return `ERR wrong number of arguments for '${command.fullName}' command`;
}

const fittingArguments: Guard = ({ command }, argv) => argumentCount(command, argv);

/** `enable-debug-command` and `enable-module-command`. */
const protectedCommand: Guard = ({ command, client, node }) => {
  if ((command.flags & Flag.protected) === 0) return undefined;
  const name = command.parent?.fullName ?? command.fullName;
  const allowed =
    name === "debug" ? node.config.enableDebugCommand : node.config.enableModuleCommand;
  if (allowed === "yes") return undefined;
  if (allowed === "local" && isLocal(client.link.remoteAddress)) return undefined;
  const title = name.toUpperCase();
  return (
    `ERR ${title} command not allowed. If the enable-${name}-command option is set to "local", ` +
    "you can run it from a local connection, otherwise you need to set this option in the " +
    "configuration file, and then restart the server."
  );
};

const authenticated: Guard = ({ client, command, node }) => {
  if (client.authenticated || node.acl.defaultUserIsOpen || (command.flags & Flag.noAuth) !== 0)
    return undefined;
  return replyErrors.noAuth;
};

const allowedInTransaction: Guard = ({ client, command }) => {
  if (!client.inTransaction || (command.flags & Flag.noMulti) === 0) return undefined;
  return "ERR Command not allowed inside a transaction";
};

const permitted: Guard = ({ client, command, node }, argv) => {
  if (client.account === undefined || client.account.unrestricted) return undefined;
  return node.acl.check(client, command, argv);
};

/** The stream of our primary and the AOF go everywhere. */
const ownsSlot: Guard = ({ client, command, node }, argv) => {
  if (client.kind !== "normal") return undefined;
  return route(node, client, command, argv);
};

/** Room is made by whatever command comes; only those that need it are refused if there is none. */
const memoryAllows: Guard = ({ client, command, flags, node }) => {
  const { tally } = node.memory;
  if (tally.bytes <= tally.fullAt || client.kind !== "normal" || node.makeRoom()) return undefined;
  // What is queued takes memory whatever it will do; ways out of a transaction stay open.
  const queues = client.inTransaction && !command.immediateInTransaction;
  return queues || (flags & Flag.denyoom) !== 0 ? replyErrors.outOfMemory : undefined;
};

const diskHealthy: Guard = ({ client, command, flags, node }) => {
  const { misconfiguration } = node.persistence;
  if (misconfiguration === undefined || client.kind !== "normal") return undefined;
  // A replica follows its primary whatever its own disk does; PING tells monitors of the trouble.
  const concerned = (flags & Flag.write) !== 0 || command.tellsDiskTrouble;
  return concerned && !node.role.isReplica ? misconfiguration : undefined;
};

const enoughReplicas: Guard = ({ client, flags, node }) => {
  const wanted = node.config.minReplicasToWrite;
  if (wanted === 0 || node.config.minReplicasMaxLag === 0) return undefined;
  if ((flags & Flag.write) === 0 || client.kind !== "normal") return undefined;
  if (node.role.isReplica || node.role.goodReplicas >= wanted) return undefined;
  return replyErrors.noReplicas;
};

const notReadOnlyReplica: Guard = ({ client, flags, node }) => {
  if (!node.role.isReplica || client.kind !== "normal" || !node.config.replicaReadOnly) {
    return undefined;
  }
  return (flags & Flag.write) === 0 ? undefined : replyErrors.readOnly;
};

const subscribedContext: Guard = ({ client, command }) => {
  if (client.subscriptions === 0 || client.protocol === 3) return undefined;
  if (command.allowedWhileSubscribed) return undefined;
  return (
    `ERR Can't execute '${command.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / ` +
    "QUIT / RESET are allowed in this context"
  );
};

const linkUpOrStaleAllowed: Guard = ({ missingFlags, client, node }) => {
  if (!node.role.isReplica || node.role.linkUp || node.config.replicaServeStaleData) {
    return undefined;
  }
  if ((missingFlags & Flag.stale) === 0 || client.kind !== "normal") return undefined;
  return replyErrors.masterDown;
};

const loaded: Guard = ({ client, missingFlags, node }) => {
  if (!node.loading || (missingFlags & Flag.loading) === 0) return undefined;
  return client.kind === "normal" ? replyErrors.loading : undefined;
};

export const admission: readonly Guard[] = [
  fittingArguments,
  protectedCommand,
  authenticated,
  allowedInTransaction,
  permitted,
  ownsSlot,
  memoryAllows,
  diskHealthy,
  enoughReplicas,
  notReadOnlyReplica,
  subscribedContext,
  linkUpOrStaleAllowed,
  loaded,
];

/** The first refusal, or `undefined`. */
export function admit(context: CommandContext, argv: readonly string[]): string | undefined {
  for (let i = 0; i < admission.length; i += 1) {
    const refusal = (admission[i] as Guard)(context, argv);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
