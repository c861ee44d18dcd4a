/**
 * Is a text an IP address? The core may not ask `node:net`. Owns the grammar of dotted IPv4 and of
 * IPv6 with `::` and an embedded IPv4 tail; names are refused, as CLUSTER MEET refuses them.
 */

const ipv4Part = /^(0|[1-9]\d{0,2})$/;
const ipv6Part = /^[0-9a-fA-F]{1,4}$/;

export function isAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => ipv4Part.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || text.length === 0) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") continue;
    const parts = half.split(":");
    const isLastHalf = index === halves.length - 1;
    for (const [i, part] of parts.entries()) {
      if (isLastHalf && i === parts.length - 1 && part.includes(".")) {
        if (!isIpv4(part)) return false;
        groups += 2;
      } else if (ipv6Part.test(part)) groups++;
      else return false;
    }
  }
  // `::` stands for at least one group of zeros.
  return halves.length === 2 ? groups <= 7 && text !== ":" : groups === 8;
}

/**
 * An address as another node gives it, or "" if it holds what would break the lines of nodes.conf:
 * a node that wrote such a line could not start again.
 */
export function cleanAddress(text: string): string {
  return /^[0-9A-Za-z.:%_-]*$/.test(text) ? text : "";
}
