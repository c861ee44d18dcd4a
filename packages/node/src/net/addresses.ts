/** What an address, as `CLIENT LIST` prints it, tells about where a client is. */

/** An absolute path, of a file or of a named pipe of Windows. */
export function isUnixSocket(address: string): boolean {
  return address.startsWith("/") || address.startsWith("\\\\");
}

/** A unix socket or the loopback interface of this machine. */
export function isLocal(address: string): boolean {
  return (
    address === "" ||
    isUnixSocket(address) ||
    address.startsWith("[::1]") ||
    address.startsWith("127.")
  );
}

/** `1.2.3.4:5`, `[::1]:5` or `/path:0`, as `CLIENT LIST` prints addresses. */
export function formatAddress(address: string, port: number): string {
  const isIpv6 = address.includes(":") && !isUnixSocket(address);
  return isIpv6 ? `[${address}]:${port}` : `${address}:${port}`;
}
