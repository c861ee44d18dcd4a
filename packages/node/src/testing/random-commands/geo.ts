/**
 * Random geo commands on a few keys: places all over the world, and mistakes. Members are kept from
 * sharing a place, since Redis' order of equal distances under COUNT is that of its partial sort.
 */
import type { Choices } from "../comparison.js";

const geoKeys = ["g1", "g2", "g3"];
/** Where distances are stored: as positions they would nearly all be the same. */
const distanceKeys = ["d1", "d2"];

const longitudeEnds = ["180", "-180", "0", "179.999", "-179.999", "0x1p3", "1e-7"];
const latitudeEnds = ["85.05112878", "-85.05112878", "0", "84.9", "-84.9", "66.5", "80.2"];
const badCoordinates = ["x", "", "181", "-200.5", "86", "1e300", "inf", "-inf", "nan"];
const units = ["m", "km", "ft", "mi", "M", "KM", "Ft", "MI"];

/** A place at the edge of the map, another one for each member. */
function endsOf(member: number): string[] {
  const longitude = longitudeEnds[member % longitudeEnds.length] as string;
  const latitude = latitudeEnds[Math.floor(member / longitudeEnds.length) % latitudeEnds.length];
  return [longitude, latitude as string];
}

export interface GeoFlavour {
  /** STOREDIST stores distances whose last digit depends on the C library's sine. */
  readonly storesDistances: boolean;
  /** Scores that 7.0 prints in another form. */
  readonly hugeScores: boolean;
}

export class GeoCommands {
  readonly #choices: Choices;
  readonly #flavour: GeoFlavour;

  constructor(choices: Choices, flavour: GeoFlavour) {
    this.#choices = choices;
    this.#flavour = flavour;
  }

  next(): string[] {
    const c = this.#choices;
    const kind = c.below(100);
    if (kind < 30) return this.#add();
    if (kind < 45) return this.#look();
    if (kind < 75) return this.#search();
    if (kind < 92) return this.#radius();
    if (kind < 94) return ["ZADD", this.#key(), ...this.#strangeScore()];
    if (kind < 96) return ["ZREM", this.#key(), this.#member(), this.#member()];
    if (kind < 97) return ["DEL", this.#key()];
    return ["ZRANGE", c.of([...geoKeys, ...distanceKeys]), "0", "-1", "WITHSCORES"];
  }

  #key(): string {
    return this.#choices.chance(0.03)
      ? this.#choices.of(["missing", "text"])
      : this.#choices.of(geoKeys);
  }

  #member(): string {
    return `p${this.#choices.below(49)}`;
  }

  #some(words: readonly string[], share = 0.5): readonly string[] {
    return this.#choices.chance(share) ? words : [];
  }

  /** A score that is no place, another one for each of the first members. */
  #strangeScore(): string[] {
    const huge = this.#flavour.hugeScores ? ["9007199254740993", "1e18", "1e25", "-inf"] : [];
    const scores = ["-5", "1.5", "4503599627370495", "1000", ...huge];
    const member = this.#choices.below(scores.length);
    return [scores[member] as string, `p${member}`];
  }

  /** The place of a member, or, without one, a place to search around. */
  #position(member?: string): string[] {
    const c = this.#choices;
    if (c.chance(0.01)) return [c.of(badCoordinates), c.of(badCoordinates)];
    if (member !== undefined && c.chance(0.05)) return endsOf(Number(member.slice(1)));
    // A town, a country, or the world.
    const spread = c.of([0.01, 5, 170]);
    const longitude = 10 + ((c.below(2_000_001) - 1_000_000) / 1e6) * spread;
    const latitude = 45 + ((c.below(2_000_001) - 1_000_000) / 1e6) * Math.min(spread, 40);
    const south = c.chance(0.2) ? -1 : 1;
    return [longitude.toFixed(c.between(6, 9)), (latitude * south).toFixed(c.between(6, 9))];
  }

  #add(): string[] {
    const c = this.#choices;
    const options = ["NX", "XX", "CH"].filter(() => c.chance(0.1)).map((word) => c.cased(word));
    const triples = Array.from({ length: c.between(1, 4) }, () => {
      const member = this.#member();
      return [...this.#position(member), member];
    });
    const words = triples.flat();
    if (c.chance(0.01)) words.pop();
    return ["GEOADD", this.#key(), ...options, ...words];
  }

  #look(): string[] {
    const c = this.#choices;
    const members = Array.from({ length: c.below(4) }, () => this.#member());
    switch (c.below(3)) {
      case 0:
        return ["GEOPOS", this.#key(), ...members];
      case 1:
        return ["GEOHASH", this.#key(), ...members];
      default: {
        const unit = this.#some([c.chance(0.05) ? "inch" : c.of(units)]);
        return ["GEODIST", this.#key(), this.#member(), this.#member(), ...unit];
      }
    }
  }

  #size(): string {
    const c = this.#choices;
    if (c.chance(0.02)) return c.of(["x", "-1", "0", "inf", "1e9"]);
    return c.of(["0.5", "3", "50", "300.7", "5000", "20000", "1000000", "0"]);
  }

  #unit(): string {
    return this.#choices.chance(0.01) ? "yd" : this.#choices.of(units);
  }

  #options(withs: boolean): string[] {
    const c = this.#choices;
    const count = c.chance(0.05) ? c.of(["0", "-1", "x"]) : String(c.between(1, 8));
    const words = [
      ...this.#some([c.cased(c.of(["ASC", "DESC"]))]),
      ...this.#some([c.cased("COUNT"), count, ...this.#some([c.cased("ANY")])], 0.4),
      ...this.#some(["ANY"], 0.01),
      ...this.#some(["what"], 0.01),
    ];
    if (!withs) return words;
    return [
      ...words,
      ...this.#some([c.cased("WITHDIST")]),
      ...this.#some([c.cased("WITHHASH")], 0.3),
      ...this.#some([c.cased("WITHCOORD")], 0.3),
    ];
  }

  #from(): string[] {
    const c = this.#choices;
    if (c.chance(0.01)) return [];
    return c.chance(0.5)
      ? [c.cased("FROMMEMBER"), this.#member()]
      : [c.cased("FROMLONLAT"), ...this.#position()];
  }

  #by(): string[] {
    const c = this.#choices;
    if (c.chance(0.01)) return [];
    return c.chance(0.5)
      ? [c.cased("BYRADIUS"), this.#size(), this.#unit()]
      : [c.cased("BYBOX"), this.#size(), this.#size(), this.#unit()];
  }

  #search(): string[] {
    const c = this.#choices;
    const shape = c.chance(0.8)
      ? [...this.#from(), ...this.#by()]
      : [...this.#by(), ...this.#from()];
    if (c.chance(0.02)) shape.push(...this.#from(), ...this.#by());
    if (c.chance(0.7)) return ["GEOSEARCH", this.#key(), ...shape, ...this.#options(true)];
    const distances = this.#flavour.storesDistances && c.chance(0.4);
    const target = c.of(distances ? distanceKeys : geoKeys);
    const words = [...shape, ...this.#options(c.chance(0.03)), ...(distances ? ["STOREDIST"] : [])];
    return ["GEOSEARCHSTORE", target, this.#key(), ...words];
  }

  #radius(): string[] {
    const c = this.#choices;
    const readOnly = c.chance(0.4);
    const store = this.#flavour.storesDistances
      ? c.of([
          ["STORE", c.of(geoKeys)],
          ["storedist", c.of(distanceKeys)],
        ])
      : ["store", c.of(geoKeys)];
    const stores = this.#some(store, readOnly ? 0.03 : 0.3);
    const options = [...this.#options(stores.length === 0 || c.chance(0.1)), ...stores];
    const circle = [this.#size(), this.#unit()];
    if (c.chance(0.5)) {
      const name = readOnly ? "GEORADIUS_RO" : "GEORADIUS";
      return [name, this.#key(), ...this.#position(), ...circle, ...options];
    }
    const name = readOnly ? "GEORADIUSBYMEMBER_RO" : "GEORADIUSBYMEMBER";
    return [name, this.#key(), this.#member(), ...circle, ...options];
  }
}
