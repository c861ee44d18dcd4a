// Addresses as users write them, and the password that goes with them.

import { usageError } from "../errors.js";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the password comes from: a command line can be read by every user of a machine. */
export const passwordVariable = "SLOTLOG_PASSWORD";

export function passwordFromEnvironment(): string | undefined {
  const password = process.env[passwordVariable];
  return password === "" ? undefined : password;
}

export function parseAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw usageError(`${text} is no address: expected host:port`);
  }
  return { host, port: Number(port) };
}

export function addressText({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
