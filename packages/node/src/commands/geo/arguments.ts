/** Positions, distances and units as arguments. */
import { replyErrors } from "@slotlog/resp";
import { doubleArgument } from "../double-argument.js";
import { fail } from "../errors.js";
import { fixedText } from "./distance.js";
import { latitudes, longitudes, type Position } from "./geohash.js";

/** Longitude and latitude from argument `at` on. */
export function positionArgument(argv: readonly string[], at: number): Position {
  const longitude = doubleArgument(argv[at] as string, replyErrors.notAFloat);
  const latitude = doubleArgument(argv[at + 1] as string, replyErrors.notAFloat);
  if (
    longitude < longitudes.min ||
    longitude > longitudes.max ||
    latitude < latitudes.min ||
    latitude > latitudes.max
  ) {
    const pair = `${fixedText(longitude, 6)},${fixedText(latitude, 6)}`;
    fail(`ERR invalid longitude,latitude pair ${pair}`);
  }
  return { longitude, latitude };
}

/** Metres in a unit. */
export function unitArgument(word: string): number {
  switch (word.toLowerCase()) {
    case "m":
      return 1;
    case "km":
      return 1000;
    case "ft":
      return 0.3048;
    case "mi":
      return 1609.34;
    default:
      return fail("ERR unsupported unit provided. please use M, KM, FT, MI");
  }
}

export interface CircleArgument {
  readonly radius: number;
  readonly metresPerUnit: number;
}

/** `radius unit` from argument `at` on. */
export function circleArgument(argv: readonly string[], at: number): CircleArgument {
  const radius = doubleArgument(argv[at] as string, "ERR need numeric radius");
  if (radius < 0) fail("ERR radius cannot be negative");
  return { radius, metresPerUnit: unitArgument(argv[at + 1] as string) };
}

export interface BoxArgument {
  readonly width: number;
  readonly height: number;
  readonly metresPerUnit: number;
}

/** `width height unit` from argument `at` on. */
export function boxArgument(argv: readonly string[], at: number): BoxArgument {
  const width = doubleArgument(argv[at] as string, "ERR need numeric width");
  const height = doubleArgument(argv[at + 1] as string, "ERR need numeric height");
  if (height < 0 || width < 0) fail("ERR height or width cannot be negative");
  return { width, height, metresPerUnit: unitArgument(argv[at + 2] as string) };
}
