// What is written on the command line of `slotlog aof`, understood: keys, moments, slots. Pure.

import { type Moment, splitArguments } from "@slotlog/node/aof";
import { usageError } from "../errors.js";

const slotMax = 16_383;

/** The key's bytes. In double quotes it may have escapes, as dump prints them: "\x00key". */
export function parseKey(text: string): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  if (!/^".*"$/s.test(bytes)) return bytes;
  const words = splitArguments(bytes);
  return words?.length === 1 ? (words[0] ?? "") : bytes;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Unix seconds: a date, Unix seconds, or an age such as 90s, 15m, 2h, 1d. */
export function parseTime(text: string, nowMs: number): number {
  const age = /^(\d+)([smhd])$/.exec(text);
  if (age !== null) {
    return Math.floor(nowMs / 1000) - Number(age[1]) * (unitSeconds[age[2] ?? ""] ?? 0);
  }
  if (/^\d{9,11}$/.test(text)) return Number(text);
  if (/^\d{12,14}$/.test(text)) return Math.floor(Number(text) / 1000);
  // JavaScript takes a bare date for UTC and a date with a time for local time: local for both.
  const parsed = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (Number.isNaN(parsed) || !/^\d{4}-/.test(text)) {
    throw usageError(
      `${text} is no time`,
      "Expected 2026-11-21T03:50:00 (local), 2026-11-21T03:50:00Z, Unix seconds, or an age as 15m",
    );
  }
  return Math.floor(parsed / 1000);
}

/** `866`, `0-5460`, or several of them with commas. */
export function parseSlots(text: string): Set<number> {
  const slots = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    if (first === undefined || Number(last) > slotMax || Number(first) > Number(last)) {
      throw usageError(`${part} is no slot or range of slots from 0 to ${slotMax}`);
    }
    for (let slot = Number(first); slot <= Number(last); slot++) slots.add(slot);
  }
  return slots;
}

export interface MomentArguments {
  readonly until?: string | undefined;
  readonly before?: string | undefined;
  readonly "before-command"?: string | undefined;
  readonly key?: string | undefined;
}

/** Exactly one of the three ways to name a moment. */
export function parseMoment(args: MomentArguments, nowMs: number): Moment {
  const { until, before, key } = args;
  const command = args["before-command"];
  const given = [until, before, command].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw usageError("say the moment with one of --until, --before and --before-command");
  }
  if (key !== undefined && command === undefined) {
    throw usageError("--key goes with --before-command");
  }
  if (until !== undefined) return { kind: "until", seconds: parseTime(until, nowMs) };
  if (command !== undefined) {
    const name = command.toLowerCase();
    return { kind: "command", name, key: key === undefined ? undefined : parseKey(key) };
  }
  const [, file, offset] = /^(?:(.+):)?(\d+)$/.exec(before ?? "") ?? [];
  if (offset === undefined) throw usageError(`${before} is no OFFSET or FILE:OFFSET`);
  return { kind: "offset", file, offset: Number(offset) };
}
