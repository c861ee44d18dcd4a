import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyScanner } from "./reply-scanner.js";

const replies = [
  "+OK\r\n",
  "-ERR no\r\n",
  ":-12\r\n",
  "$5\r\nhello\r\n",
  "$-1\r\n",
  "$0\r\n\r\n",
  "$6\r\na\r\nb\r\n\r\n",
  "*0\r\n",
  "*-1\r\n",
  "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
  "_\r\n",
  "#t\r\n",
  ",1.5\r\n",
  "(12345678901234567890\r\n",
  "=7\r\ntxt:abc\r\n",
  "!5\r\nERR x\r\n",
  "%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n",
  "~2\r\n+a\r\n+b\r\n",
  "|1\r\n+ttl\r\n:5\r\n$1\r\nv\r\n",
  "*2\r\n|1\r\n+x\r\n:1\r\n:7\r\n:8\r\n",
  ">3\r\n+message\r\n+c\r\n+hi\r\n",
];

/** Where replies end, with the stream cut at the given places. */
function endsOf(stream: Buffer, cuts: readonly number[]): number[] {
  const scanner = new ReplyScanner();
  const ends: number[] = [];
  let start = 0;
  for (const end of [...cuts, stream.length]) {
    // As a link does: what is understood is let go, the rest of a line comes again.
    while (start < end) {
      const behind = scanner.scan(stream, start, end);
      if (behind === -1) {
        start = scanner.position;
        break;
      }
      ends.push(behind);
      start = behind;
    }
  }
  return ends;
}

const stream = Buffer.from(replies.join(""), "latin1");
const expected = replies.map((_, index) => replies.slice(0, index + 1).join("").length);

test("the end of every kind of reply", () => {
  assert.deepEqual(endsOf(stream, []), expected);
});

test("cut at every place, and byte by byte", () => {
  for (let cut = 1; cut < stream.length; cut++) {
    assert.deepEqual(endsOf(stream, [cut]), expected, `cut at ${cut}`);
  }
  const everywhere = Array.from({ length: stream.length - 1 }, (_, index) => index + 1);
  assert.deepEqual(endsOf(stream, everywhere), expected);
});

test("what is no reply is refused", () => {
  for (const text of ["hello\r\n", "$abc\r\n", "*1x\r\n", "$99999999999\r\n", "$-2\r\n", "$\r\n"]) {
    const bytes = Buffer.from(text);
    assert.throws(() => new ReplyScanner().scan(bytes, 0, bytes.length), /ProtocolError/, text);
  }
  const endless = Buffer.alloc(2 * 1024 * 1024, "+a");
  assert.throws(() => new ReplyScanner().scan(endless, 0, endless.length), /a line without end/);
});
