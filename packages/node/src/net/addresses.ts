/** What an address, as `CLIENT LIST` prints it, tells about where a client is. */

/** A unix socket or the loopback interface of this machine. */
export function isLocal(address: string): boolean {
  return address === "" || address.startsWith("[::1]") || address.startsWith("127.");
}

/** `1.2.3.4:5` or `[::1]:5`, as `CLIENT LIST` prints addresses. */
export function formatAddress(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
