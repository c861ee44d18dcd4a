/**
 * The operator's commands: checks in Redis' order with Redis' words, then the change. Owns no
 * parsing of client arguments beyond what needs the cluster's state.
 */

import { slotCount } from "../slot.js";
import { resetElection, takeOver } from "./election.js";
import { bumpEpoch } from "./epochs.js";
import { failureReports } from "./failure.js";
import { isForgotten } from "./gossip.js";
import { startHandshake } from "./handshake.js";
import { broadcastPong, makeHeader } from "./heartbeat.js";
import type { BusCommand, CommandReply } from "./inputs.js";
import { isAddress } from "./ip.js";
import { manualFailoverTimeoutMs, resetManualFailover } from "./manual-failover.js";
import { giveSlot } from "./ownership.js";
import type { Peer } from "./peers.js";
import { announcePrimary, becomePrimary, replicateFrom } from "./roles.js";
import type { Bus } from "./state.js";
import { deletePeer, randomHex } from "./state.js";

/** How long a forgotten node stays out: time enough to tell every node to forget it. */
const forgetMs = 60_000;

const ok: CommandReply = { kind: "ok" };

export function runCommand(bus: Bus, command: BusCommand): CommandReply {
  switch (command.kind) {
    case "meet":
      return meet(bus, command, "meet");
    case "find":
      return meet(bus, command, "find");
    case "add-slots":
      return changeSlots(bus, command.slots, "add");
    case "delete-slots":
      return changeSlots(bus, command.slots, "delete");
    case "flush-slots":
      return flushSlots(bus);
    case "set-slot":
      return setSlot(bus, command);
    case "set-slot-stable":
      return setSlotStable(bus, command.slot);
    case "replicate":
      return replicate(bus, command.node);
    case "forget":
      return forget(bus, command.node);
    case "reset":
      return reset(bus, command.hard);
    case "failover":
      return failover(bus, command.mode);
    case "bump-epoch": {
      const bumped = bumpEpoch(bus);
      return {
        kind: "status",
        text: `${bumped ? "BUMPED" : "STILL"} ${bus.myself.configEpoch}`,
      };
    }
    case "set-config-epoch":
      return setConfigEpoch(bus, command.epoch);
    case "save-config":
      bus.saveDurably();
      return ok;
    case "count-failure-reports": {
      const peer = bus.state.lookup(command.node);
      if (peer === undefined) return error(`Unknown node ${command.node}`);
      return { kind: "integer", value: failureReports(bus, peer) };
    }
  }
}

function error(text: string): CommandReply {
  return { kind: "error", text: `ERR ${text}` };
}

/** The table changed by an operator's hand: remember it, look at the health again. */
function changed(bus: Bus): CommandReply {
  bus.save();
  bus.stateDirty = true;
  return ok;
}

function meet(
  bus: Bus,
  address: { readonly ip: string; readonly port: number; readonly busPort: number },
  purpose: "meet" | "find",
): CommandReply {
  const validPort = (port: number): boolean => port > 0 && port <= 65535;
  if (!isAddress(address.ip) || !validPort(address.port) || !validPort(address.busPort)) {
    return error(`Invalid node address specified: ${address.ip}:${address.port}`);
  }
  startHandshake(
    bus,
    { ip: address.ip, port: address.port, tlsPort: 0, busPort: address.busPort },
    purpose,
  );
  return ok;
}

function changeSlots(bus: Bus, slots: readonly number[], what: "add" | "delete"): CommandReply {
  const map = bus.state.slots;
  const seen = new Uint8Array(slotCount);
  for (const slot of slots) {
    const owned = map.ownerOf(slot) !== undefined;
    if (what === "delete" && !owned) return error(`Slot ${slot} is already unassigned`);
    if (what === "add" && owned) return error(`Slot ${slot} is already busy`);
    if (seen[slot] === 1) return error(`Slot ${slot} specified multiple times`);
    seen[slot] = 1;
  }
  for (const slot of slots) {
    map.setImporting(slot, undefined);
    if (what === "delete") map.unassign(slot);
    else giveSlot(bus, slot, bus.myself);
  }
  bus.announceDirty = true;
  return changed(bus);
}

function flushSlots(bus: Bus): CommandReply {
  if (!bus.host.isEmpty()) return error("DB must be empty to perform CLUSTER FLUSHSLOTS.");
  bus.state.slots.unassignAllOf(bus.myself);
  return changed(bus);
}

function setSlot(
  bus: Bus,
  command: {
    readonly slot: number;
    readonly action: "migrating" | "importing" | "node";
    readonly node: string;
  },
): CommandReply {
  const { myself, state } = bus;
  const { slot, action } = command;
  if (myself.role === "replica") return error("Please use SETSLOT only with masters.");
  const mine = state.slots.ownerOf(slot) === myself;
  if (action === "migrating" && !mine) return error(`I'm not the owner of hash slot ${slot}`);
  if (action === "importing" && mine) return error(`I'm already the owner of hash slot ${slot}`);
  const peer = state.lookup(command.node);
  if (peer === undefined) {
    return error(`${action === "node" ? "Unknown" : "I don't know about"} node ${command.node}`);
  }
  if (peer.role === "replica") return error("Target node is not a master");
  if (action === "migrating") state.slots.setMigrating(slot, peer);
  else if (action === "importing") state.slots.setImporting(slot, peer);
  else return setSlotOwner(bus, slot, peer);
  return changed(bus);
}

function setSlotOwner(bus: Bus, slot: number, owner: Peer): CommandReply {
  const { myself, state, config } = bus;
  const slots = state.slots;
  const wasMine = slots.ownerOf(slot) === myself;
  const keys = bus.host.countKeysInSlot(slot);
  if (wasMine && owner !== myself && keys > 0) {
    return error(
      `Can't assign hashslot ${slot} to a different node ` +
        "while I still hold keys for this hash slot.",
    );
  }
  if (keys === 0) slots.setMigrating(slot, undefined);
  slots.unassign(slot);
  giveSlot(bus, slot, owner);
  if (wasMine && owner !== myself && myself.slotCount === 0 && config.allowReplicaMigration) {
    bus.log(
      "notice",
      `Configuration change detected. Reconfiguring myself as a replica of ${owner.id} ` +
        `(${owner.humanName})`,
    );
    replicateFrom(bus, owner);
    bus.saveDurably();
  }
  if (owner === myself && slots.importingFrom(slot) !== undefined) {
    // The import is over: claim the slot under an epoch that beats the former owner's.
    if (bumpEpoch(bus)) bus.log("notice", `configEpoch updated after importing slot ${slot}`);
    slots.setImporting(slot, undefined);
    // The operator tells the former owner next, who forgets the slot: it must not be forgotten
    // here.
    bus.saveDurably();
    broadcastPong(bus, "all");
  }
  return changed(bus);
}

function setSlotStable(bus: Bus, slot: number): CommandReply {
  if (bus.myself.role === "replica") return error("Please use SETSLOT only with masters.");
  bus.state.slots.setImporting(slot, undefined);
  bus.state.slots.setMigrating(slot, undefined);
  return changed(bus);
}

function replicate(bus: Bus, node: string): CommandReply {
  const { myself, state } = bus;
  const primary = state.lookup(node);
  if (primary === undefined) return error(`Unknown node ${node}`);
  if (primary === myself) return error("Can't replicate myself");
  if (primary.role === "replica") {
    return error("I can only replicate a master, not a replica.");
  }
  if (myself.role === "primary" && (myself.slotCount > 0 || !bus.host.isEmpty())) {
    return error("To set a master the node must be empty and without assigned slots.");
  }
  replicateFrom(bus, primary);
  return changed(bus);
}

function forget(bus: Bus, node: string): CommandReply {
  const { myself, state } = bus;
  const peer = state.lookup(node);
  if (peer === undefined) {
    // Another node may have passed the word on already.
    return isForgotten(bus, node) ? ok : error(`Unknown node ${node}`);
  }
  if (peer === myself) return error("I tried hard but I can't forget myself...");
  if (myself.role === "replica" && myself.primary === peer) {
    return error("Can't forget my master!");
  }
  state.forgotten.set(peer.id, bus.now + forgetMs);
  deletePeer(bus, peer);
  return changed(bus);
}

function reset(bus: Bus, hard: boolean): CommandReply {
  const { myself, state } = bus;
  if (myself.role === "primary" && !bus.host.isEmpty()) {
    return error("CLUSTER RESET can't be called with master nodes containing keys");
  }
  if (myself.role === "replica") {
    becomePrimary(bus, myself);
    announcePrimary(bus);
    bus.emit({ kind: "flush-data" });
  }
  state.slots.closeAll();
  resetManualFailover(bus);
  for (let slot = 0; slot < slotCount; slot++) state.slots.unassign(slot);
  for (const peer of state.peers.slice()) if (!peer.isMyself) deletePeer(bus, peer);
  state.forgotten.clear();
  if (hard) {
    state.currentEpoch = 0;
    state.lastVoteEpoch = 0;
    myself.configEpoch = 0;
    bus.log("notice", "configEpoch set to 0 via CLUSTER RESET HARD");
    state.table.rename(myself, randomHex(bus.random));
    myself.shardId = randomHex(bus.random);
    bus.log("notice", `Node hard reset, now I'm ${myself.id}`);
  }
  bus.saveDurably();
  return changed(bus);
}

function failover(bus: Bus, mode: "default" | "force" | "takeover"): CommandReply {
  const { myself, state } = bus;
  const primary = myself.primary;
  if (myself.role === "primary") return error("You should send CLUSTER FAILOVER to a replica");
  if (primary === undefined) return error("I'm a replica but my master is unknown to me");
  const reachable = primary.health !== "failed" && primary.link !== undefined;
  if (mode === "default" && !reachable) {
    return error("Master is down or failed, please use CLUSTER FAILOVER FORCE");
  }
  resetManualFailover(bus);
  resetElection(bus);
  state.manual.endsAt = bus.now + manualFailoverTimeoutMs;
  switch (mode) {
    case "takeover":
      bus.log("notice", "Taking over the master (user request).");
      bumpEpoch(bus);
      takeOver(bus);
      break;
    case "force":
      bus.log("notice", "Forced failover user request accepted.");
      state.manual.canStart = true;
      break;
    case "default":
      bus.log("notice", "Manual failover user request accepted.");
      if (primary.link !== undefined) {
        bus.send([primary.link], { type: "mfstart", header: makeHeader(bus) });
      }
      break;
  }
  return ok;
}

function setConfigEpoch(bus: Bus, epoch: number): CommandReply {
  const { myself, state } = bus;
  if (epoch < 0) return error(`Invalid config epoch specified: ${epoch}`);
  if (state.peers.length > 1) {
    return error(
      "The user can assign a config epoch only when the node does not know any other node.",
    );
  }
  if (myself.configEpoch !== 0) return error("Node config epoch is already non-zero");
  myself.configEpoch = epoch;
  state.currentEpoch = Math.max(state.currentEpoch, epoch);
  bus.log("notice", `configEpoch set to ${epoch} via CLUSTER SET-CONFIG-EPOCH`);
  return changed(bus);
}
