import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteString } from "../../store/byte-string.js";
import { fitNarrow, fitWide, readNarrow, readWide, writeNarrow, writeWide } from "./field.js";

const length = 24;
const types = fc
  .record({ signed: fc.boolean(), bits: fc.integer({ min: 1, max: 64 }) })
  .filter(({ signed, bits }) => signed || bits < 64);
const bytes = fc.uint8Array({ minLength: length, maxLength: length });

/** The bits of a string as one number, to compare with. */
function asNumber(string: ByteString): bigint {
  return BigInt(`0x${string.view().toString("hex")}`);
}

test("a field is the bits at its offset, and writing changes nothing else", () => {
  fc.assert(
    fc.property(types, bytes, fc.nat(), fc.bigInt(), (type, content, place, value) => {
      const string = ByteString.from(content);
      const offset = place % (length * 8 - type.bits + 1);
      const below = BigInt(length * 8 - offset - type.bits);
      const before = asNumber(string);
      const raw = BigInt.asUintN(type.bits, before >> below);
      const old = type.signed ? BigInt.asIntN(type.bits, raw) : raw;
      assert.equal(readWide(string, offset, type), old);
      if (type.bits <= 32) assert.equal(readNarrow(string, offset, type), Number(old));

      const fitted = fitWide(value, type, "wrap") ?? assert.fail();
      const expected = before - (raw << below) + (BigInt.asUintN(type.bits, fitted) << below);
      writeWide(string, offset, type, fitted);
      assert.equal(asNumber(string), expected);
      if (type.bits > 32) return;
      writeNarrow(string, offset, type, Number(old));
      assert.equal(asNumber(string), before);
    }),
    { numRuns: 2000 },
  );
});

test("narrow and wide fields overflow alike", () => {
  const overflows = fc.constantFrom("wrap", "sat", "fail");
  const amounts = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
  fc.assert(
    fc.property(types, amounts, overflows, (type, amount, overflow) => {
      fc.pre(type.bits <= 32);
      const wide = fitWide(BigInt(amount), type, overflow);
      const narrow = fitNarrow(amount, type, overflow);
      assert.equal(narrow, wide === undefined ? undefined : Number(wide));
    }),
    { numRuns: 2000 },
  );
});
