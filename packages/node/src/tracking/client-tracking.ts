/** What CLIENT TRACKING chose for one connection. */
export interface ClientTracking {
  /** Id of the client that is told instead of this one; 0 for none. */
  readonly redirectTo: number;
  /** That client is gone. */
  redirectBroken: boolean;
  /** Told of every change under `prefixes`, whether it read the key or not. */
  readonly broadcast: boolean;
  readonly optIn: boolean;
  readonly optOut: boolean;
  /** Not told of its own changes. */
  readonly noLoop: boolean;
  /** CLIENT CACHING was said for the next command. */
  caching: boolean;
  /** Empty with `broadcast` means all keys. */
  readonly prefixes: Set<string>;
}
