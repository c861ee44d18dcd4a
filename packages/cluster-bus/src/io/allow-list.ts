/**
 * Who may connect to the bus port: `cluster-bus-allow`, a list of addresses and CIDR ranges. Owns
 * the match of one address against the list, and the reading of the list when it has changed. An
 * empty list allows everybody, as Redis does.
 */

import { BlockList, isIPv6 } from "node:net";

export class AllowList {
  #ranges: readonly string[] = [];
  /** Node's name for it is a block list; here what it matches is let in. */
  #matcher = new BlockList();

  /** `ranges` as the configuration has them now; they were checked when they were set. */
  allows(address: string, ranges: readonly string[]): boolean {
    if (ranges !== this.#ranges) {
      this.#ranges = ranges;
      this.#matcher = readRanges(ranges);
    }
    if (ranges.length === 0) return true;
    return this.#matcher.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  }
}

function readRanges(ranges: readonly string[]): BlockList {
  const matcher = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) matcher.addAddress(address, family);
    else matcher.addSubnet(address, Number(bits), family);
  }
  return matcher;
}
