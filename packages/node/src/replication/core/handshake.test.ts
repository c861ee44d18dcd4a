import assert from "node:assert/strict";
import { test } from "node:test";
import { Handshake, type HandshakeOptions, type HandshakeStep } from "./handshake.js";

const plain: HandshakeOptions = {
  announcedPort: 7001,
  announcedAddress: undefined,
  user: undefined,
  password: undefined,
  position: undefined,
};
const position = { id: "a".repeat(40), offset: 41 };

/** Replies like the wire has them, each with the step it leads to. */
function play(options: HandshakeOptions, replies: readonly string[]): HandshakeStep[] {
  const handshake = new Handshake(options);
  const steps = [handshake.start()];
  for (const reply of replies) {
    steps.push(handshake.reply({ isError: reply.startsWith("-"), text: reply.slice(1) }));
  }
  return steps;
}

function sent(steps: readonly HandshakeStep[]): string[] {
  return steps.flatMap((step) =>
    step.kind === "send" || step.kind === "full-unnamed"
      ? step.commands.map((command) => command.join(" "))
      : [],
  );
}

test("the whole dialogue, with everything that is optional", () => {
  const options = { ...plain, announcedAddress: "10.0.0.9", user: "u", password: "p", position };
  const steps = play(options, ["+PONG", "+OK", "+OK", "+OK", "+OK", "+CONTINUE"]);
  assert.deepEqual(sent(steps), [
    "PING",
    "AUTH u p",
    "REPLCONF listening-port 7001",
    "REPLCONF ip-address 10.0.0.9",
    "REPLCONF capa eof capa psync2",
    `PSYNC ${position.id} 42`,
  ]);
  assert.deepEqual(steps.at(-1), { kind: "continue", id: undefined });
});

test("the shortest dialogue asks for everything", () => {
  const steps = play(plain, ["+PONG", "+OK", "+OK", `+FULLRESYNC ${"b".repeat(40)} 900`]);
  assert.deepEqual(sent(steps), [
    "PING",
    "REPLCONF listening-port 7001",
    "REPLCONF capa eof capa psync2",
    "PSYNC ? -1",
  ]);
  assert.deepEqual(steps.at(-1), { kind: "full", position: { id: "b".repeat(40), offset: 900 } });
});

test("a primary that wants a password first is alive; a wrong password is told", () => {
  const options = { ...plain, password: "p" };
  const alive = play(options, ["-NOAUTH Authentication required."]);
  assert.equal(sent(alive)[1], "AUTH p");
  const wrong = play(options, ["+PONG", "-WRONGPASS invalid username-password pair"]);
  assert.ok(wrong.at(-1)?.kind === "retry");
  assert.equal(play(plain, ["-LOADING Redis is loading"]).at(-1)?.kind, "retry");
});

test("errors to REPLCONF are no reason to stop", () => {
  const steps = play(plain, ["+PONG", "-ERR unknown", "-ERR unknown", "+CONTINUE"]);
  assert.equal(sent(steps).at(-1), "PSYNC ? -1");
});

test("what PSYNC can be answered", () => {
  const answer = (reply: string): HandshakeStep | undefined =>
    play({ ...plain, position }, ["+PONG", "+OK", "+OK", reply]).at(-1);
  assert.deepEqual(answer(`+CONTINUE ${"c".repeat(40)}`), { kind: "continue", id: "c".repeat(40) });
  assert.equal(
    answer("-NOMASTERLINK Can't SYNC while not connected with my master")?.kind,
    "retry",
  );
  assert.equal(answer("-LOADING Redis is loading the dataset in memory")?.kind, "retry");
  assert.deepEqual(answer("-ERR unknown command 'PSYNC'"), {
    kind: "full-unnamed",
    commands: [["SYNC"]],
  });
  for (const bad of [
    "+FULLRESYNC",
    "+FULLRESYNC short 1",
    `+FULLRESYNC ${"b".repeat(40)} x`,
    "+OK",
  ]) {
    assert.equal(answer(bad)?.kind, "retry", bad);
  }
  const unasked = play(plain, ["+PONG", "+OK", "+OK", "+CONTINUE"]).at(-1);
  assert.equal(unasked?.kind, "retry", "there is nothing to continue");
});
