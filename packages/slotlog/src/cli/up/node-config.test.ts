import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { configuredPassword, nodeConfig } from "./node-config.js";

const settings = { host: "127.0.0.1", port: 7000, appendfsync: "everysec" };

test("every password survives the way through the file", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (password) => {
      const config = nodeConfig({ ...settings, requirepass: password });
      assert.equal(configuredPassword(config), password);
      // One directive per line, whatever the password holds.
      assert.equal(config.split("\n").length, 11);
    }),
  );
});

test("without a password neither directive is written", () => {
  const config = nodeConfig({ ...settings, requirepass: undefined });
  assert.doesNotMatch(config, /requirepass|masterauth/);
  assert.equal(configuredPassword(config), undefined);
});

test("what users write by hand is understood", () => {
  assert.equal(configuredPassword("port 1\nrequirepass secret\n"), "secret");
  assert.equal(configuredPassword("REQUIREPASS  'it\\'s'  \r\n"), "it's");
  assert.equal(configuredPassword('requirepass "a\\"b\\\\c\\n"'), 'a"b\\c\n');
  assert.equal(configuredPassword('requirepass one\nrequirepass ""'), undefined);
  assert.equal(configuredPassword("# requirepass no"), undefined);
});
