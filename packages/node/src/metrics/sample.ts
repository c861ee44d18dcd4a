/** One value of a metric, before any library knows of it. */
export interface Sample {
  /** With its prefix. */
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export const redisPrefix = "redis_";
export const ownPrefix = "slotlog_";

export function gauge(
  name: string,
  help: string,
  value: number,
  labels: Readonly<Record<string, string>> = {},
): Sample {
  return { name, kind: "gauge", help, labels, value };
}

export function counter(
  name: string,
  help: string,
  value: number,
  labels: Readonly<Record<string, string>> = {},
): Sample {
  return { name, kind: "counter", help, labels, value };
}
