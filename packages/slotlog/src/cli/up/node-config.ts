// The redis.conf that `slotlog up` writes into each node's directory when it creates the cluster.
// Later runs only read it: what the user, or CONFIG REWRITE, changes in it stays. It is a plain
// Redis config file, so a real redis-server starts from the same directory too.

export interface NodeSettings {
  readonly host: string;
  readonly port: number;
  readonly appendfsync: string;
  readonly requirepass: string | undefined;
}

export const configFileName = "redis.conf";

export function nodeConfig(settings: NodeSettings): string {
  const lines = [
    "# Written by slotlog up when it created this cluster; yours to edit from now on.",
    `bind ${settings.host}`,
    `port ${settings.port}`,
    "cluster-enabled yes",
    "cluster-config-file nodes.conf",
    "appendonly yes",
    `appendfsync ${settings.appendfsync}`,
    // The append-only file has everything; a second copy in dump.rdb would only cost disk.
    'save ""',
  ];
  if (settings.requirepass !== undefined) {
    // Replicas log in to their primary with the password that clients use.
    lines.push(
      `requirepass ${quote(settings.requirepass)}`,
      `masterauth ${quote(settings.requirepass)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The password in a config file, in the notation of `nodeConfig` or of CONFIG REWRITE. */
export function configuredPassword(config: string): string | undefined {
  let found: string | undefined;
  for (const line of config.split(/\r?\n/)) {
    const value = /^\s*requirepass\s+(.*?)\s*$/i.exec(line)?.[1];
    // As in Redis the last one counts, and an empty password is none.
    if (value !== undefined) found = unquote(value);
  }
  return found === "" ? undefined : found;
}

/** Redis' config files know \xHH inside double quotes, which serves every byte alike. */
function quote(text: string): string {
  const escaped = [...Buffer.from(text, "utf8")].map((byte) => {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

function unquote(value: string): string {
  if (value.startsWith("'")) return value.slice(1, -1).replaceAll("\\'", "'");
  if (!value.startsWith('"')) return value;
  const bytes = value
    .slice(1, -1)
    .replace(/\\x([0-9a-fA-F]{2})|\\(.)/g, (_, hex: string | undefined, char: string) =>
      hex === undefined ? (escapes[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
