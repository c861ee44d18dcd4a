/**
 * Directives about addresses, clients, TLS and the process itself. TLS and the operating system's
 * knobs (CPU lists, OOM scores, process titles) are known, kept and shown, so that existing files
 * load. What would let someone believe in a protection that is not there is refused.
 */

import { choice, choices, numeric, text, toggle } from "../directive.js";
import { INT_MAX, UINT_MAX } from "../numbers.js";
import { bind, clientOutputBufferLimit, oomScoreAdjValues } from "../special.js";

const PORT_MAX = 65535n;
const GUARDED_ACTIONS = ["no", "yes", "local"] as const;
const SHUTDOWN_WORDS = ["save", "nosave", "now", "force"] as const;

const MIB = 1024 * 1024;

export const networkDirectives = [
  bind,
  text("bind-source-addr", "", { unset: true }),
  numeric("port", { initial: 6379, max: PORT_MAX }),
  text("unixsocket", "", { immutable: true, unset: true }),
  numeric("unixsocketperm", {
    initial: 0,
    max: 0o777n,
    unsigned: true,
    notation: "octal",
    immutable: true,
  }),
  numeric("socket-mark-id", { initial: 0, max: UINT_MAX, unsigned: true, immutable: true }),
  numeric("tcp-backlog", { initial: 511, max: INT_MAX, immutable: true }),
  numeric("tcp-keepalive", { initial: 300, max: INT_MAX }),
  numeric("timeout", { initial: 0, max: INT_MAX }),
  numeric("maxclients", { initial: 10000, min: 1n, max: UINT_MAX, unsigned: true }),
  toggle("protected-mode", true),
  clientOutputBufferLimit,
  numeric("client-query-buffer-limit", {
    initial: 1024 * MIB,
    min: 1024n * 1024n,
    max: 2n ** 63n - 1n,
    unsigned: true,
    notation: "memory",
  }),
  numeric("proto-max-bulk-len", { initial: 512 * MIB, min: 1024n * 1024n, notation: "memory" }),
  text("requirepass", "", { unset: true, anyBytes: true, sensitive: true }),
  text("aclfile", "", { immutable: true }),
  choice("acl-pubsub-default", ["allchannels", "resetchannels"], "resetchannels"),
  numeric("acllog-max-len", { initial: 128 }),
  choice("enable-protected-configs", GUARDED_ACTIONS, "no", { immutable: true }),
  choice("enable-debug-command", GUARDED_ACTIONS, "no", { immutable: true }),
  choice("enable-module-command", GUARDED_ACTIONS, "no", { immutable: true }),
] as const;

export const processDirectives = [
  toggle("daemonize", false, { immutable: true }),
  choice("supervised", ["upstart", "systemd", "auto", "no"], "no", { immutable: true }),
  text("pidfile", "", { immutable: true, unset: true }),
  numeric("io-threads", { initial: 1, min: 1n, max: 128n, immutable: true }),
  toggle("io-threads-do-reads", false, { immutable: true }),
  toggle("always-show-logo", false, { immutable: true }),
  toggle("set-proc-title", true, { immutable: true }),
  text("proc-title-template", "{title} {listen-addr} {server-mode}", {
    rule: (value) =>
      isTitleTemplate(value)
        ? undefined
        : "template format is invalid or contains unknown variables",
  }),
  text("locale-collate", "", {
    rule: (value) => (LOCALES.includes(value) ? undefined : "Invalid locale name"),
  }),
  text("server_cpulist", "", { immutable: true, unset: true }),
  text("bio_cpulist", "", { immutable: true, unset: true }),
  text("aof_rewrite_cpulist", "", { immutable: true, unset: true }),
  text("bgsave_cpulist", "", { immutable: true, unset: true }),
  choice("oom-score-adj", ["no", "yes", "relative", "absolute"], "no", {
    synonyms: { relative: "yes" },
  }),
  oomScoreAdjValues,
  toggle("disable-thp", true, { immutable: true }),
  text("ignore-warnings", ""),
  toggle("crash-log-enabled", true),
  toggle("crash-memcheck-enabled", true),
  toggle("use-exit-on-panic", false, { hidden: true }),
  numeric("watchdog-period", {
    initial: 0,
    max: INT_MAX,
    hidden: true,
    // At least two of the server's timer ticks, which are 100 ms apart.
    clamp: (value) => (value > 0n && value < 200n ? 200n : value),
  }),
  numeric("shutdown-timeout", { initial: 10, max: INT_MAX }),
  choices("shutdown-on-sigint", {
    none: "default",
    choices: SHUTDOWN_WORDS,
    rule: saveAndNosave,
  }),
  choices("shutdown-on-sigterm", {
    none: "default",
    choices: SHUTDOWN_WORDS,
    rule: saveAndNosave,
  }),
] as const;

export const tlsDirectives = [
  numeric("tls-port", { initial: 0, max: PORT_MAX, rule: (port) => noTls(port !== 0n) }),
  toggle("tls-cluster", false, { rule: noTls }),
  toggle("tls-replication", false, { rule: noTls }),
  choice("tls-auth-clients", ["no", "yes", "optional"], "yes"),
  toggle("tls-prefer-server-ciphers", false),
  toggle("tls-session-caching", true),
  numeric("tls-session-cache-size", { initial: 20 * 1024, max: INT_MAX }),
  numeric("tls-session-cache-timeout", { initial: 300, max: INT_MAX }),
  text("tls-cert-file", "", { unset: true, volatile: true }),
  text("tls-key-file", "", { unset: true, volatile: true }),
  text("tls-key-file-pass", "", { unset: true }),
  text("tls-client-cert-file", "", { unset: true, volatile: true }),
  text("tls-client-key-file", "", { unset: true, volatile: true }),
  text("tls-client-key-file-pass", "", { unset: true }),
  text("tls-dh-params-file", "", { unset: true, volatile: true }),
  text("tls-ca-cert-file", "", { unset: true, volatile: true }),
  text("tls-ca-cert-dir", "", { unset: true, volatile: true }),
  text("tls-protocols", "", { unset: true }),
  text("tls-ciphers", "", { unset: true }),
  text("tls-ciphersuites", "", { unset: true }),
] as const;

/** Text is compared by bytes, which is what these names mean; no other order is at hand. */
const LOCALES: readonly string[] = ["", "C", "POSIX", "C.UTF-8", "C.utf8"];

const MAYBE_EMPTY: readonly string[] = ["title", "unixsocket", "config-file"];
const TITLE_VARIABLES: readonly string[] = [
  "title",
  "listen-addr",
  "server-mode",
  "port",
  "tls-port",
  "unixsocket",
  "config-file",
];

/**
 * `{name}` must be known, `{{` is a brace, and something must be printed even where title, socket
 * and file are empty.
 */
function isTitleTemplate(template: string): boolean {
  const printed = template.replaceAll(/\{\{|\{([^}]*)\}/g, (whole, name?: string) => {
    if (name === undefined) return "x";
    if (!TITLE_VARIABLES.includes(name)) return whole;
    return MAYBE_EMPTY.includes(name) ? "" : "x";
  });
  return !printed.includes("{") && printed.replaceAll(" ", "") !== "";
}

function noTls(wanted: boolean): string | undefined {
  return wanted ? "TLS is not supported" : undefined;
}

function saveAndNosave(chosen: readonly string[]): string | undefined {
  return chosen.includes("save") && chosen.includes("nosave")
    ? "shutdown options SAVE and NOSAVE can't be used simultaneously"
    : undefined;
}
