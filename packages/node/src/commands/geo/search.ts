/** Finding the members inside a shape, sorting them, and what becomes of them. */
import type { CommandContext } from "../../dispatch/context.js";
import type { ZsetValue } from "../../store/types/zset.js";
import type { ZsetRange } from "../../store/types/zset-leaf.js";
import { toZset } from "../sorted-set/combine.js";
import { cellsOf, scoresOf, type Shape } from "./areas.js";
import { coordinateText, distance, distanceText, isFarther, latitudeDistance } from "./distance.js";
import { type Position, positionOf } from "./geohash.js";

export interface Found {
  readonly member: string;
  readonly score: number;
  readonly position: Position;
  /** Metres to the centre. */
  readonly distance: number;
}

/** From a score to before another one. */
class ScoreCell implements ZsetRange {
  readonly #from: number;
  readonly #to: number;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
  }

  isBelow(score: number): boolean {
    return score < this.#from;
  }

  isAbove(score: number): boolean {
    return score >= this.#to;
  }
}

/** The distance to the centre if a position is inside the shape, else `undefined`. */
function distanceInside({ centre, metresPerUnit, size }: Shape, at: Position): number | undefined {
  if (size.type === "circle") {
    const radius = size.radius * metresPerUnit;
    if (isFarther(centre, at, radius)) return undefined;
    const metres = distance(centre, at);
    return metres > radius ? undefined : metres;
  }
  const north = latitudeDistance(at.latitude, centre.latitude);
  if (north > (size.height * metresPerUnit) / 2) return undefined;
  const sameLatitude = { longitude: centre.longitude, latitude: at.latitude };
  const halfWidth = (size.width * metresPerUnit) / 2;
  if (isFarther(at, sameLatitude, halfWidth)) return undefined;
  return distance(at, sameLatitude) > halfWidth ? undefined : distance(centre, at);
}

/** All members inside the shape, or, if `limit` is not 0, the first so many that come along. */
export function search(zset: ZsetValue, shape: Shape, limit: number): Found[] {
  const found: Found[] = [];
  for (const cell of cellsOf(shape)) {
    if (limit !== 0 && found.length >= limit) break;
    const { from, to } = scoresOf(cell);
    const range = new ScoreCell(from, to);
    const cursor = zset.at(zset.countBefore(range, false));
    for (; cursor.valid && !range.isAbove(cursor.score); cursor.next()) {
      const { member, score } = cursor;
      const position = positionOf(score);
      const metres = distanceInside(shape, position);
      if (metres !== undefined) found.push({ member, score, position, distance: metres });
      if (limit !== 0 && found.length >= limit) break;
    }
  }
  return found;
}

export type SortOrder = "none" | "asc" | "desc";

export function sortFound(found: Found[], order: SortOrder): void {
  if (order === "asc") found.sort((a, b) => compareDistances(a, b));
  else if (order === "desc") found.sort((a, b) => -compareDistances(a, b));
}

function compareDistances(a: Found, b: Found): number {
  if (a.distance > b.distance) return 1;
  return a.distance === b.distance ? 0 : -1;
}

export interface ReplyForm {
  readonly withDistance: boolean;
  readonly withHash: boolean;
  readonly withCoordinates: boolean;
  readonly metresPerUnit: number;
}

function replyHash(context: CommandContext, score: number): void {
  if (Number.isSafeInteger(score)) context.reply.integer(score);
  else context.reply.bigInteger(BigInt.asIntN(64, BigInt(Math.trunc(score))));
}

export function replyPosition(context: CommandContext, position: Position): void {
  context.reply.array(2);
  context.reply.doubleText(coordinateText(position.longitude));
  context.reply.doubleText(coordinateText(position.latitude));
}

export function replyFound(
  context: CommandContext,
  found: readonly Found[],
  form: ReplyForm,
): void {
  const { reply } = context;
  const { withDistance, withHash, withCoordinates } = form;
  const extras = Number(withDistance) + Number(withHash) + Number(withCoordinates);
  reply.array(found.length);
  for (const { member, score, position, distance: metres } of found) {
    if (extras > 0) reply.array(extras + 1);
    reply.bulk(member);
    if (withDistance) reply.bulk(distanceText(metres / form.metresPerUnit));
    if (withHash) replyHash(context, score);
    if (withCoordinates) replyPosition(context, position);
  }
}

/** Stores what was found, with scores or distances, in place of whatever is under the key. */
export function storeFound(
  context: CommandContext,
  found: readonly Found[],
  target: { readonly key: string; readonly distances: boolean; readonly event: string },
  metresPerUnit: number,
): void {
  const { db, reply } = context;
  const { key } = target;
  if (found.length === 0) {
    deleteTarget(context, key);
    reply.integer(0);
    return;
  }
  const members = found.map(({ member }) => member);
  const scores = found.map((each) =>
    target.distances ? each.distance / metresPerUnit : each.score,
  );
  db.set(key, toZset({ members, scores }, db.collections));
  db.signalModified(key);
  context.notify("z", target.event, key);
  context.dirty += found.length;
  reply.integer(found.length);
}

export function deleteTarget(context: CommandContext, key: string): void {
  const { db } = context;
  if (!db.delete(key)) return;
  db.signalModified(key);
  context.notify("g", "del", key);
  context.dirty += 1;
}
