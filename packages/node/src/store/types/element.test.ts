import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ListpackWriter } from "../../rdb/listpack.js";
import { elementLength, elementOf, elementText, listpackEntryBytes } from "./element.js";
import { EMPTY_LISTPACK_BYTES } from "./list-node.js";

const integerTexts = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.constantFrom("0", "-0", "00", "+1", "-", "", " 1", "1 ", "127", "128", "-1", "4095", "-4096"),
  fc.constantFrom("4096", "-4097", "32767", "-32768", "8388607", "-8388608", "2147483647"),
  fc.constantFrom("-2147483648", "2147483648", "9223372036854775807", "9223372036854775808"),
);
const texts = fc.oneof(
  integerTexts,
  fc.string({ unit: "binary-ascii", maxLength: 80 }),
  fc
    .constantFrom(62, 63, 64, 126, 127, 128, 4094, 4095, 4096, 16380, 16383, 20000)
    .map((length) => "x".repeat(length)),
);

describe("elements", () => {
  it("keep their text, and equal texts have one holder", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const element = elementOf(text);
        assert.equal(elementText(element), text);
        assert.equal(elementLength(element), text.length);
        assert.ok(elementOf(`${text}`) === element);
      }),
      { numRuns: 2000 },
    );
  });

  it("count the bytes that a listpack has", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const writer = new ListpackWriter();
        writer.append(text);
        const bytes = EMPTY_LISTPACK_BYTES + listpackEntryBytes(elementOf(text));
        assert.equal(bytes, writer.finish().length);
      }),
      { numRuns: 2000 },
    );
  });
});
