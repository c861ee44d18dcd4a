/** ZSCAN, and the texts of scores that only it prints. */
import { formatDouble } from "@slotlog/resp";
import { globMatch } from "../../store/glob.js";
import { replyEmptyScan, replyScanHeader, scanCursor, scanOptions } from "../scan-arguments.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { readZset } from "./lookup.js";

/** Half of the largest `long`: up to here Redis' listpacks hold integral scores as integers. */
const listpackIntegerMax = 2 ** 62;

/** Digits of `%.17g`, which tell all doubles apart. */
const digitsMax = 17;

/** A score as it stands in a listpack, where Redis copies it from. */
export function listpackScoreText(score: number): string {
  if (Number.isInteger(score) && Math.abs(score) <= listpackIntegerMax) {
    return BigInt(score).toString();
  }
  return formatDouble(score);
}

/**
 * A score as C prints it with `%.17g`: 17 digits, rounded half to even, without zeros at the end;
 * with an exponent below -4 or from 17 on.
 */
export function percentG17(score: number): string {
  if (!Number.isFinite(score)) return score < 0 ? "-inf" : "inf";
  if (score === 0) return Object.is(score, -0) ? "-0" : "0";
  const [mantissa = "", power = "0"] = Math.abs(score)
    .toExponential(digitsMax - 1)
    .split("e");
  const digits = roundedToEven(Math.abs(score), mantissa).replace(/0+$/, "");
  const exponent = Number(power);
  const sign = score < 0 ? "-" : "";
  if (exponent < -4 || exponent >= digitsMax) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const magnitude = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${magnitude}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const fraction = digits.slice(exponent + 1);
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}

/**
 * The 17 digits without the point. JavaScript rounds a tie away from zero, C to the even digit: if
 * all digits behind the 18th are zeros, as far as they can be asked for, and that is a 5, it was
 * one.
 */
function roundedToEven(magnitude: number, mantissa: string): string {
  const digits = mantissa.replace(".", "");
  // oxlint-disable-next-line oxc/number-arg-out-of-range -- up to 100 since ES2018
  const exact = magnitude.toExponential(100).replace(".", "");
  const rest = exact.slice(digitsMax, exact.indexOf("e"));
  const isTie = /^50*$/.test(rest);
  const before = exact.slice(0, digitsMax);
  return isTie && Number(before.at(-1)) % 2 === 0 ? before : digits;
}

const zscan: CommandSpec = {
  name: "zscan",
  arity: -3,
  flags: ["readonly"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns the members and scores of a sorted set step by step.",
    since: "2.8.0",
    group: "sorted_set",
    complexity: "O(1) a step, O(N) in all for a sorted set of N members",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
  },
  run(context, argv) {
    const cursor = scanCursor(argv[2] as string);
    const zset = readZset(context, argv[1] as string);
    if (zset === undefined) {
      replyEmptyScan(context);
      return;
    }
    const { count, pattern } = scanOptions(argv, 3);
    const members: string[] = [];
    const scores: number[] = [];
    const next = zset.scan(cursor, count, members, scores);
    let kept = members.length;
    if (pattern !== undefined) {
      kept = 0;
      for (let index = 0; index < members.length; index++) {
        const member = members[index] as string;
        if (!globMatch(pattern, member)) continue;
        scores[kept] = scores[index] as number;
        members[kept++] = member;
      }
    }
    replyScanHeader(context, next, kept * 2);
    const textOf = zset.isSmall ? listpackScoreText : percentG17;
    for (let index = 0; index < kept; index++) {
      context.reply.bulk(members[index] as string);
      context.reply.bulk(textOf(scores[index] as number));
    }
  },
};

export const scanning: readonly CommandSpec[] = [zscan];
