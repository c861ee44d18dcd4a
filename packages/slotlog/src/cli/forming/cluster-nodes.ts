// Reads what CLUSTER NODES and INFO say. Pure.

export interface KnownNode {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly primaryId: string | undefined;
  readonly configEpoch: number;
  readonly linkUp: boolean;
  /** As printed: `0-5460`, `7`; slots on their way to or from other nodes left out. */
  readonly slots: readonly string[];
}

export function parseClusterNodes(text: string): KnownNode[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [id = "", address = "", flags = "", primaryId = "-", , , epoch = "0", link, ...slots] =
        line.trim().split(" ");
      // 127.0.0.1:7000@17000[,hostname]; an IPv6 address has colons of its own.
      const [, host = "", port = "0"] = /^(.*):(\d+)@/.exec(address) ?? [];
      return {
        id,
        host,
        port: Number(port),
        flags: flags.split(","),
        primaryId: primaryId === "-" ? undefined : primaryId,
        configEpoch: Number(epoch),
        linkUp: link === "connected",
        slots: slots.filter((slot) => !slot.startsWith("[")),
      };
    });
}

/** `name:value` lines of INFO and CLUSTER INFO. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
