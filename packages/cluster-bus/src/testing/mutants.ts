/**
 * Mistakes on purpose: each mutant is one text replaced in one file of a copy of this package,
 * which is then put before the scenarios and the seeds. Nothing of it is in the code that ships. A
 * text that is not there exactly once is an error, so a mutant never turns into no change unseen.
 */

export interface Mutant {
  readonly name: string;
  /** Below `src/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The scenarios that are tried first, where it is known that they see it; only to save time. */
  readonly seenBy?: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "a vote is not persisted",
    file: "core/vote.ts",
    from: "  primary.votedAt = now;\n  bus.saveDurably();\n",
    to: "  primary.votedAt = now;\n",
  },
  {
    name: "a vote is persisted without waiting for the disk",
    file: "core/vote.ts",
    from: "  primary.votedAt = now;\n  bus.saveDurably();\n",
    to: "  primary.votedAt = now;\n  bus.save();\n",
  },
  {
    name: "the vote leaves before it is persisted",
    file: "core/state.ts",
    from: 'effects.unshift({ kind: "persist", fsync: this.#persist === "fsync" });',
    to: 'effects.push({ kind: "persist", fsync: this.#persist === "fsync" });',
  },
  {
    name: "a voter votes twice in an epoch",
    file: "core/vote.ts",
    from: "if (state.lastVoteEpoch === state.currentEpoch) {",
    to: "if (state.lastVoteEpoch === state.currentEpoch + 1) {",
  },
  {
    name: "the epoch of the last vote is forgotten at a restart",
    file: "core/describe.ts",
    from: "state.lastVoteEpoch = conf.lastVoteEpoch;",
    to: "state.lastVoteEpoch = 0;",
    seenBy: "vote-durability.txt",
  },
  {
    name: "a vote that arrives twice counts twice",
    file: "core/election.ts",
    from: "  if (voter.grantedEpoch === election.epoch) return;\n",
    to: "",
  },
  {
    name: "half of the votes is a majority",
    file: "core/health.ts",
    from: "return Math.floor(bus.state.size / 2) + 1;",
    to: "return Math.ceil(bus.state.size / 2);",
    seenBy: "minority.txt",
  },
  {
    name: "epochs of others are ignored",
    file: "core/receive.ts",
    from: "if (header.currentEpoch > state.currentEpoch) state.currentEpoch = header.currentEpoch;",
    to: "if (header.currentEpoch < 0) state.currentEpoch = header.currentEpoch;",
  },
  {
    name: "config epochs of others are ignored",
    file: "core/receive.ts",
    from: "if (header.configEpoch > sender.configEpoch) {",
    to: "if (header.configEpoch < 0) {",
  },
  {
    name: "an election asks for votes in the epoch that is",
    file: "core/election.ts",
    from: "  state.currentEpoch++;\n  state.election.epoch = state.currentEpoch;",
    to: "  state.election.epoch = state.currentEpoch;",
  },
  {
    name: "the winner keeps its former epoch",
    file: "core/election.ts",
    from: "if (myself.configEpoch < election.epoch) {",
    to: "if (myself.configEpoch > election.epoch) {",
  },
  {
    name: "a won epoch is not persisted",
    file: "core/election.ts",
    from: "  updateState(bus);\n  bus.saveDurably();\n",
    to: "  updateState(bus);\n",
    seenBy: "vote-durability.txt",
  },
  {
    name: "an old claim takes slots",
    file: "core/ownership.ts",
    from: "owner.configEpoch >= claim.epoch",
    to: "owner.configEpoch > claim.epoch + 100",
  },
  {
    name: "nobody is told that its claim is outdated",
    file: "core/ownership.ts",
    from: "  sendUpdate(bus, sender, newer);\n",
    to: "",
    seenBy: "epochs.txt",
  },
  {
    name: "colliding epochs do not part",
    file: "core/epochs.ts",
    from: "if (other.configEpoch !== myself.configEpoch || other.id <= myself.id) return;",
    to: "if (other.id !== myself.id) return;",
  },
  {
    name: "both of two colliding nodes move on, for ever",
    file: "core/epochs.ts",
    from: "if (other.configEpoch !== myself.configEpoch || other.id <= myself.id) return;",
    to: "if (other.configEpoch > myself.configEpoch || other.id === myself.id) return;",
  },
  {
    name: "a minority goes on serving",
    file: "core/health.ts",
    from: "  if (reachable < quorum(bus)) {\n    ok = false;",
    to: "  if (reachable < quorum(bus)) {",
  },
  {
    name: "a primary that rejoins serves at once",
    file: "core/health.ts",
    from: "if (ok && isPrimary && now - state.minorityAt < rejoinDelayMs(config.nodeTimeoutMs)) return;",
    to: "",
    seenBy: "minority.txt",
  },
  {
    name: "a primary that starts serves at once",
    file: "core/health.ts",
    from: "if (isPrimary && !state.ok && delayed) return;",
    to: "",
    seenBy: "minority.txt",
  },
  {
    name: "one report is enough to fail a node",
    file: "core/failure.ts",
    from: "if (votes < quorum(bus)) return;",
    to: "if (votes < 1) return;",
  },
  {
    name: "failure reports live for ever",
    file: "core/failure.ts",
    from: "const reportValidityTimeouts = 2;",
    to: "const reportValidityTimeouts = 200_000;",
    seenBy: "failure-detection.txt",
  },
  {
    name: "a failed node stays failed",
    file: "core/failure.ts",
    from: "function clearFailureIfDue(bus: Bus, peer: Peer): void {\n",
    to: "function clearFailureIfDue(bus: Bus, peer: Peer): void {\n  if (bus.now > 0) return;\n",
  },
  {
    name: "votes are given for replicas of primaries that are up",
    file: "core/vote.ts",
    from: 'if (primary.health !== "failed" && !request.forceAck) return "its master is up";',
    to: "",
  },
  {
    name: "the rank does not count",
    file: "core/election.ts",
    from: "sibling.replicationOffset > offset ||",
    to: "sibling.replicationOffset < 0 ||",
  },
  {
    name: "a replica that knows to lack something stands as early as its sibling",
    file: "core/election.ts",
    from: "(myself.primary?.replicationOffset ?? 0) > offset;",
    to: "(myself.primary?.replicationOffset ?? 0) < 0;",
  },
  {
    name: "voters ask nobody who may have more",
    file: "core/vote.ts",
    from: 'if (sibling === candidate || sibling.noFailover || sibling.health !== "online") continue;',
    to: "if (primary.replicas.length > 0) continue;",
    seenBy: "restraint.txt",
  },
  {
    name: "a vote that is held back is never given",
    file: "core/vote.ts",
    from: "if (betterSibling(bus, candidate, request) === undefined) grant(bus, candidate);",
    to: "if (state.ticks < 0) grant(bus, candidate);",
    seenBy: "restraint.txt",
  },
  {
    name: "data of any age will do",
    file: "core/election.ts",
    from: "  return ageMs > limit;",
    to: "  return ageMs < 0 && ageMs > limit;",
  },
  {
    name: "a manual failover does not wait for the offset",
    file: "core/manual-failover.ts",
    from: "if (bus.host.replicationOffset() !== manual.primaryOffset) return;",
    to: "",
    seenBy: "manual-failover.txt",
  },
  {
    name: "the barrier of replica migration is ignored",
    file: "core/replica-migration.ts",
    from: "if (healthy <= config.migrationBarrier) return;",
    to: "",
    seenBy: "replica-migration.txt",
  },
  {
    name: "a replica that must not fail over does",
    file: "core/election.ts",
    from: '(primary.health === "failed" && !bus.config.replicaNoFailover)',
    to: '(primary.health === "failed")',
  },
  {
    name: "a node whose link is lost is left alone until its next ping is due",
    file: "core/state.ts",
    from: "    bus.state.table.wake(peer);\n",
    to: "",
  },
  {
    name: "a node that is pinged is left alone until another ping would be due",
    file: "core/heartbeat.ts",
    from: "    refresh(bus, peer);\n",
    to: "",
  },
  {
    name: "what was said of a node is said again after its role has changed",
    file: "core/roles.ts",
    from: "  peer.migrateTo = false;\n  bus.state.table.touch(peer);\n",
    to: "  peer.migrateTo = false;\n",
  },
  {
    name: "a slot that was taken over may be forgotten",
    file: "core/commands.ts",
    from: "    bus.saveDurably();\n    broadcastPong(",
    to: "    broadcastPong(",
    seenBy: "resharding.txt",
  },
  {
    name: "slots without an owner are nobody's concern",
    file: "core/health.ts",
    from: "if (slots.assignedCount < slotCount) return false;",
    to: "",
  },
  {
    name: "a write lease outlives the node timeout",
    file: "core/write-lease.ts",
    from: "const leaseShare = 0.9;",
    to: "const leaseShare = 1.6;",
    seenBy: "write-lease.txt",
  },
  {
    name: "the write lease does not follow the roles and slots",
    file: "core/health.ts",
    from: "  reviewLease(bus);\n",
    to: "",
    seenBy: "write-lease.txt",
  },
  {
    name: "half of the primaries are enough for a write lease",
    file: "core/write-lease.ts",
    from: "const needed = Math.floor((others.length + 1) / 2);",
    to: "const needed = Math.max(1, Math.floor(others.length / 2));",
    seenBy: "write-lease.txt",
  },
  {
    name: "a write lease that ran out is back with the first answer",
    file: "core/write-lease.ts",
    from: 'if (lease.phase === "lapsed" && now - lease.heardAt < delay) return;',
    to: "if (delay < 0) return;",
    seenBy: "write-lease.txt",
  },
  {
    name: "what a primary sends renews the lease, whether it has heard us or not",
    file: "core/receive.ts",
    from: "  sender.dataReceivedAt = now;\n",
    to: "  sender.dataReceivedAt = now;\n  sender.answeredAt = now;\n",
  },
];
