/** What an address, as `CLIENT LIST` prints it, tells about where a client is. */

/** A unix socket or the loopback interface of this machine. */
export function isLocal(address: string): boolean {
  return address === "" || address.startsWith("[::1]") || address.startsWith("127.");
}
