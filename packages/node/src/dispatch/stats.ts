/** The node's counters, as `INFO stats` and the metrics tell them. Plain numbers, one object. */
export class NodeStats {
  commandsProcessed = 0;
  connectionsReceived = 0;
  rejectedConnections = 0;
  netInputBytes = 0;
  netOutputBytes = 0;
  netReplInputBytes = 0;
  netReplOutputBytes = 0;
  syncFull = 0;
  syncPartialOk = 0;
  syncPartialErr = 0;
  expiredKeys = 0;
  expiredStalePercent = 0;
  expireCycles = 0;
  /** Cycles that ended because their time was up. */
  expireTimeCapReached = 0;
  expireCycleMs = 0;
  /** Turns of the loop in which something was done. */
  turns = 0;
  turnMs = 0;
  longestTurnMs = 0;
  cronMs = 0;
  commandsPerTurnMax = 0;
  #commandsBeforeTurn = 0;
  evictedKeys = 0;
  evictedClients = 0;
  keyspaceHits = 0;
  keyspaceMisses = 0;
  errorReplies = 0;
  unexpectedErrorReplies = 0;
  redirects = 0;
  peakMemory = 0;
  readsProcessed = 0;
  writesProcessed = 0;
  outputBufferDisconnections = 0;
  queryBufferDisconnections = 0;
  unconfirmedWrites = 0;
  /** Files, or copies of the AOF, that keep what a failover lost; and records in the files. */
  salvages = 0;
  salvagedRecords = 0;
  /** Times this node became a primary after it had been a replica. */
  promotions = 0;
  /** Changes since the last save, for `INFO persistence`. */
  dirty = 0;
  /** Error replies by their prefix; at most `errorPrefixesMax`. */
  readonly errorsByPrefix = new Map<string, number>();

  countError(text: string): void {
    this.errorReplies += 1;
    const space = text.indexOf(" ");
    const prefix = space > 0 && space < errorPrefixCharsMax ? text.slice(0, space) : "ERR";
    const count = this.errorsByPrefix.get(prefix);
    if (count !== undefined) this.errorsByPrefix.set(prefix, count + 1);
    else if (this.errorsByPrefix.size < errorPrefixesMax) this.errorsByPrefix.set(prefix, 1);
  }

  /** A turn of clients, or a run of the cron, is over. */
  countTurn(elapsedMs: number): void {
    this.turns += 1;
    this.turnMs += elapsedMs;
    if (elapsedMs > this.longestTurnMs) this.longestTurnMs = elapsedMs;
    const commands = this.commandsProcessed - this.#commandsBeforeTurn;
    this.#commandsBeforeTurn = this.commandsProcessed;
    if (commands > this.commandsPerTurnMax) this.commandsPerTurnMax = commands;
  }

  reset(): void {
    this.#commandsBeforeTurn = 0;
    const { peakMemory, dirty } = this;
    const { errorsByPrefix } = this;
    Object.assign(this, new NodeStats(), { peakMemory, dirty, errorsByPrefix });
    this.errorsByPrefix.clear();
  }
}

/** Redis looks for the end of the prefix in the first 32 bytes, the `-` in front included. */
const errorPrefixCharsMax = 31;
/** Scripts can make up prefixes. Redis 7.2 keeps them all; later versions stop at this number. */
const errorPrefixesMax = 128;
