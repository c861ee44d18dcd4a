/** DEBUG PROTOCOL: a sample of every type of reply, for tests of clients. */
import type { CommandContext } from "../../../dispatch/context.js";

const unknownText =
  "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|" +
  "null|array|set|map|attrib|push|verbatim|true|false";

function threeIntegers({ reply }: CommandContext): void {
  for (let i = 0; i < 3; i += 1) reply.integer(i);
}

type Sample = (context: CommandContext) => void;

const samples: Readonly<Record<string, Sample>> = {
  string: ({ reply }) => reply.bulk("Hello World"),
  integer: ({ reply }) => reply.integer(12345),
  double: ({ reply }) => reply.double(3.141),
  bignum: ({ reply }) => reply.bigNumber("1234567999999999999999999999999999999"),
  null: ({ reply }) => reply.nil(),
  array: (context) => {
    context.reply.array(3);
    threeIntegers(context);
  },
  set: (context) => {
    context.reply.set(3);
    threeIntegers(context);
  },
  map: ({ reply }) => {
    reply.map(3);
    for (let i = 0; i < 3; i += 1) {
      reply.integer(i);
      reply.boolean(i === 1);
    }
  },
  attrib: ({ client, reply }) => {
    if (client.protocol === 3) {
      reply.attribute(1);
      reply.bulk("key-popularity");
      reply.array(2);
      reply.bulk("key:123");
      reply.integer(90);
    }
    reply.bulk("Some real reply following the attribute");
  },
  push: ({ client, reply }) => {
    if (client.protocol === 2) {
      reply.error("ERR RESP2 is not supported by this command");
      return;
    }
    reply.push(2);
    reply.bulk("server-cpu-usage");
    reply.integer(42);
    reply.bulk("Some real reply following the push reply");
  },
  verbatim: ({ reply }) => reply.verbatim("txt", "This is a verbatim\nstring"),
  true: ({ reply }) => reply.boolean(true),
  false: ({ reply }) => reply.boolean(false),
};

export function debugProtocol(context: CommandContext, type: string): void {
  const name = type.toLowerCase();
  const sample = Object.hasOwn(samples, name) ? samples[name] : undefined;
  if (sample === undefined) context.reply.error(unknownText);
  else sample(context);
}
