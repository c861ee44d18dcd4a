/** Every bound of the router, with its unit in its name. Who enforces one says so at its field. */

/** What can be set from outside; the rest are constants below. */
export interface RouterLimits {
  /** Clients at a time; one more is told so and closed. */
  readonly clientsMax: number;
  /** Bytes that wait for a client that does not read. At it the client is closed. */
  readonly clientOutputBytesMax: number;
  /** Bytes of requests that a node has not answered. At it, clients that go there are not read. */
  readonly upstreamBytesMax: number;
  /** How long a command may take, waiting and repetitions included; blocking commands aside. */
  readonly timeoutMs: number;
  /** Connections of its own that transactions, blocking commands and subscriptions may take. */
  readonly dedicatedMax: number;
}

export const defaultLimits: RouterLimits = {
  clientsMax: 10_000,
  clientOutputBytesMax: 256 * 1024 * 1024,
  upstreamBytesMax: 32 * 1024 * 1024,
  timeoutMs: 10_000,
  dedicatedMax: 1_000,
};

/** Commands of one client that are under way; beyond it the client is not read. */
export const clientPendingMax = 1024;
/**
 * What a new client has of it; each reply adds one. Until the size of its replies is known, a burst
 * of requests for large values must not fill a connection that others use as well.
 */
export const clientPendingMin = 64;
/**
 * Replies that a client's commands under way are expected to have, by the size of its last ones:
 * beyond it the client is not read. A thousand GETs of a megabyte would else be a gigabyte here.
 */
export const clientExpectedBytesMax = 16 * 1024 * 1024;
/** Bytes waiting for a client from which on it is not read; half of it lets it go on. */
export const clientOutputPauseBytes = 1024 * 1024;
/** How often a command is sent again: MOVED, ASK, a node that is down. */
export const attemptsMax = 64;
/** Pause before a command is repeated that some node could not do now; doubles up to the next. */
export const retryDelayMsMin = 5;
export const retryDelayMsMax = 200;
/** How often the router looks for what took too long. */
export const sweepIntervalMs = 100;
/** The slots are asked for at least this often, and at most so often when something moved. */
export const topologyRefreshMs = 5_000;
export const topologyRefreshMsMin = 50;
/** A connection to a node that is not up within this time is given up. */
export const connectTimeoutMs = 2_000;
/** Bytes of the commands that a transaction keeps to repeat itself. */
export const transactionBytesMax = 64 * 1024 * 1024;
/** Identities (user, password, protocol) with connections of their own. */
export const identitiesMax = 256;
/** Keys named in an explanation. */
export const explainedKeysMax = 8;
