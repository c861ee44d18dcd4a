/**
 * What `ps` shows of a node: `proc-title-template` with its variables filled in. It refuses
 * nothing: a template with unknown variables is refused when it is set.
 */
import type { NodeConfig } from "./config/config.js";

export interface TitleFacts {
  /** What `{title}` is. */
  readonly name: string;
  /** The port in use. */
  readonly port: number;
  readonly configFile: string;
}

export function processTitle(config: NodeConfig, { name, port, configFile }: TitleFacts): string {
  const [address = "*"] = config.bind;
  const variables: Readonly<Record<string, string>> = {
    title: name,
    "listen-addr": port === 0 ? config.unixsocket : `${address.replace(/^-/, "")}:${port}`,
    "server-mode": config.clusterEnabled ? "[cluster]" : "",
    port: String(port),
    "tls-port": String(config.tlsPort),
    unixsocket: config.unixsocket,
    "config-file": configFile,
  };
  return config.procTitleTemplate
    .replaceAll(/\{\{|\{([^}]*)\}/g, (_, variable?: string) =>
      variable === undefined ? "{" : (variables[variable] ?? ""),
    )
    .trim();
}
