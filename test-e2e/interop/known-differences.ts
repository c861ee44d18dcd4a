// Where a reply may differ from that of Debian's redis-server 7.0.15: what Redis 7.2 changed, which
// we follow, and nothing else. Every entry names its source and has to be met by the comparison, or
// the test fails: a difference that is gone must not stay excused.

export interface Reply {
  /** The step as written in the scenario. */
  readonly line: string;
  readonly scenario: string;
  readonly protocol: 2 | 3;
  /** Reply bytes as latin1. */
  readonly ours: string;
  readonly theirs: string;
}

export interface KnownDifference {
  readonly id: string;
  /** Where Redis says so: release notes or the commit that changed it. */
  readonly source: string;
  readonly matches: (reply: Reply) => boolean;
}

export const knownDifferences: readonly KnownDifference[] = [];
