import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { it } from "node:test";
import fc from "fast-check";
import { ByteString } from "./byte-string.js";

it("equals a plain Buffer under appends, overwrites, extensions and single bytes", () => {
  const operation = fc.record({
    verb: fc.constantFrom("append", "setRange", "extend", "setByte", "text"),
    offset: fc.nat(300),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 100 }),
  });
  fc.assert(
    fc.property(fc.uint8Array(), fc.boolean(), fc.array(operation), (start, shared, operations) => {
      const source = Buffer.from(start);
      const string = shared ? ByteString.over(source) : ByteString.from(source);
      let model = Buffer.from(start);
      for (const { verb, offset, bytes } of operations) {
        const at = verb === "append" ? model.length : offset;
        if (verb === "setByte") {
          if (model.length === 0) continue;
          string.setByte(offset % model.length, bytes[0] as number);
          model[offset % model.length] = bytes[0] as number;
          continue;
        }
        const length = verb === "extend" ? at : at + bytes.length;
        if (length > model.length)
          model = Buffer.concat([model, Buffer.alloc(length - model.length)]);
        if (verb === "extend") string.extend(at);
        else if (verb === "append") string.append(bytes);
        else if (verb === "setRange") string.setRange(at, bytes);
        else string.setRange(at, Buffer.from(bytes).toString("latin1"));
        if (verb !== "extend") model.set(bytes, at);
      }
      assert.deepEqual(Buffer.from(string.view()), model);
      assert.equal(string.length, model.length);
      assert.ok(source.equals(start), "what was handed in is untouched");
    }),
  );
});

it("reallocates rarely while it grows", () => {
  const string = ByteString.from("");
  const chunk = Buffer.alloc(4096, 7);
  let moves = 0;
  let capacity = string.capacity;
  for (let round = 0; round < 8192; round++) {
    string.append(chunk);
    if (string.capacity !== capacity) moves++;
    capacity = string.capacity;
  }
  assert.equal(string.length, 32 * 1024 * 1024);
  assert.ok(moves < 45, `${moves} moves to 32 MiB`);
  assert.ok(capacity <= string.length * 1.13 + 1024 * 1024);
});

it("reads bytes and ranges, zero behind the end", () => {
  const string = ByteString.from("abcdef");
  assert.equal(string.byteAt(1), 98);
  assert.equal(string.byteAt(6), 0);
  assert.equal(string.viewRange(2, 99).toString(), "cdef");
  const copy = string.clone();
  copy.setByte(0, 120);
  assert.equal(string.view().toString(), "abcdef");
  assert.equal(copy.view().toString(), "xbcdef");
});
