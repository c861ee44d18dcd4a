// A real server for the tests of a program, with jest, which runs ES modules with a flag:
// NODE_OPTIONS=--experimental-vm-modules npx jest
import { Redis } from "ioredis";
import { startNode } from "slotlog";

let node;
let redis;

beforeAll(async () => {
  node = await startNode();
  redis = new Redis(node.url);
});

afterAll(async () => {
  redis.disconnect();
  await node.stop();
});

beforeEach(() => redis.flushall());

test("what was written is read", async () => {
  await redis.set("name", "Ada");
  expect(await redis.get("name")).toBe("Ada");
});

test("tests do not see each other's data", async () => {
  expect(await redis.get("name")).toBe(null);
});
