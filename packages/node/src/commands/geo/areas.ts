/**
 * Which ranges of scores a search must look through: the cell of the centre, as large as the shape
 * needs, and those of its eight neighbours that the shape can reach.
 */
import { degrees, earthRadiusM, radians } from "./distance.js";
import { type Area, bitsToBigInt, decodeArea, encode, type Position, stepMax } from "./geohash.js";
import { cosine } from "./trigonometry.js";

/** A circle or a box with a centre; sizes in units of `metresPerUnit`. */
export interface Shape {
  readonly centre: Position;
  readonly metresPerUnit: number;
  readonly size:
    | { readonly type: "circle"; readonly radius: number }
    | { readonly type: "box"; readonly width: number; readonly height: number };
}

/** `bits` of latitude and longitude interleaved, `step` of each. */
export interface Cell {
  readonly bits: bigint;
  readonly step: number;
}

/** Half the length of the equator in the Mercator projection. */
const mercatorMax = 20037726.37;

/** Longitudes are in the odd bits, latitudes in the even ones. */
const longitudeBits = 0xaaaaaaaaaaaaaaaan;
const latitudeBits = 0x5555555555555555n;

/** The smallest cells such that the centre's and its neighbours cover the radius. */
function stepFor(radiusM: number, latitude: number): number {
  if (radiusM === 0) return stepMax;
  let step = 1;
  for (let range = radiusM; range < mercatorMax; range *= 2) step++;
  step -= 2;
  // Towards the poles cells become narrower than they are high.
  const distanceToEquator = Math.abs(latitude);
  if (distanceToEquator > 66) step--;
  if (distanceToEquator > 80) step--;
  return Math.max(1, Math.min(stepMax, step));
}

function boundsOf({ centre, metresPerUnit, size }: Shape): Area {
  const height = metresPerUnit * (size.type === "circle" ? size.radius : size.height / 2);
  const width = metresPerUnit * (size.type === "circle" ? size.radius : size.width / 2);
  const { longitude, latitude } = centre;
  const latitudeDelta = degrees(height / earthRadiusM);
  // The parallel that is nearer to the pole is the shorter one.
  const edge = latitude < 0 ? latitude - latitudeDelta : latitude + latitudeDelta;
  const longitudeDelta = degrees(width / earthRadiusM / cosine(radians(edge)));
  return {
    longitude: { min: longitude - longitudeDelta, max: longitude + longitudeDelta },
    latitude: { min: latitude - latitudeDelta, max: latitude + latitudeDelta },
  };
}

/** One coordinate of a cell moved by one cell; it wraps at the ends of the range. */
function moved(cell: Cell, own: bigint, direction: number): Cell {
  if (direction === 0) return cell;
  const width = BigInt(64 - 2 * cell.step);
  const mask = own >> width;
  // With the other coordinate's bits set, a carry passes through them to the next own bit.
  const others = (own === longitudeBits ? latitudeBits : longitudeBits) >> width;
  const value = cell.bits & own;
  const changed = direction > 0 ? value + others + 1n : (value | others) - (others + 1n);
  const kept = cell.bits & (own === longitudeBits ? latitudeBits : longitudeBits);
  return { bits: (BigInt.asUintN(64, changed) & mask) | kept, step: cell.step };
}

function neighbour(cell: Cell, east: number, north: number): Cell {
  return moved(moved(cell, longitudeBits, east), latitudeBits, north);
}

function areaOf({ bits, step }: Cell): Area {
  const parts = { high: Number(bits >> 32n), low: Number(bits & 0xffffffffn) };
  return decodeArea(parts, step);
}

function cellOf(position: Position, step: number): Cell {
  return { bits: bitsToBigInt(encode(position, step)), step };
}

/** True if a neighbour ends within the bounds: then the cells are too small at this place. */
function isTooSmall(cell: Cell, bounds: Area): boolean {
  return (
    areaOf(neighbour(cell, 0, 1)).latitude.max < bounds.latitude.max ||
    areaOf(neighbour(cell, 0, -1)).latitude.min > bounds.latitude.min ||
    areaOf(neighbour(cell, 1, 0)).longitude.max < bounds.longitude.max ||
    areaOf(neighbour(cell, -1, 0)).longitude.min > bounds.longitude.min
  );
}

/**
 * The order in which cells are searched, which the order of unsorted replies shows: east, north.
 */
const directions: readonly (readonly [east: number, north: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];

/** The cells that can hold members inside the shape. */
export function cellsOf(shape: Shape): readonly Cell[] {
  const bounds = boundsOf(shape);
  const { size } = shape;
  const radius =
    size.type === "circle"
      ? size.radius
      : Math.sqrt((size.width / 2) * (size.width / 2) + (size.height / 2) * (size.height / 2));
  let step = stepFor(radius * shape.metresPerUnit, shape.centre.latitude);
  let cell = cellOf(shape.centre, step);
  if (step > 1 && isTooSmall(cell, bounds)) {
    step--;
    cell = cellOf(shape.centre, step);
  }
  const area = areaOf(cell);
  // What the bounds do not reach is left out, where cells are small enough for that to be right.
  const prunes = step >= 2;
  const noSouth = prunes && area.latitude.min < bounds.latitude.min;
  const noNorth = prunes && area.latitude.max > bounds.latitude.max;
  const noWest = prunes && area.longitude.min < bounds.longitude.min;
  const noEast = prunes && area.longitude.max > bounds.longitude.max;
  const cells: Cell[] = [];
  let last: Cell | undefined;
  for (const [east, north] of directions) {
    if ((east > 0 && noEast) || (east < 0 && noWest)) continue;
    if ((north > 0 && noNorth) || (north < 0 && noSouth)) continue;
    const next = neighbour(cell, east, north);
    // Neighbours of large cells can be the same; the centre's own cell is not looked at here.
    if (last !== undefined && last.bits === next.bits) continue;
    cells.push(next);
    if (cells.length > 1) last = next;
  }
  return cells;
}

/** The scores that a cell holds: from the first one to before the second. */
export function scoresOf({ bits, step }: Cell): { readonly from: number; readonly to: number } {
  const shift = BigInt(2 * stepMax - 2 * step);
  return { from: Number(bits << shift), to: Number((bits + 1n) << shift) };
}
