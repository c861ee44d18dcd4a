// A node that misbehaves: it says that it serves all slots, as a node does, and answers everything
// else as the test says.

import { createServer, type Server, type Socket } from "node:net";
import { CommandDecoder } from "@slotlog/resp";

/** The bytes to answer with; `undefined` for no answer at all. */
export type Misbehaviour = (words: readonly string[], socket: Socket) => string | undefined;

export class FakeNode implements AsyncDisposable {
  readonly port: number;
  misbehave: Misbehaviour;
  /** Where the slots are said to be; itself at first. */
  owner: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number, misbehave: Misbehaviour) {
    this.#server = server;
    this.port = port;
    this.owner = port;
    this.misbehave = misbehave;
  }

  static start(misbehave: Misbehaviour): Promise<FakeNode> {
    return new Promise((resolve, reject) => {
      const server = createServer();
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port: 0 }, () => {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        const node = new FakeNode(server, port, misbehave);
        server.on("connection", (socket) => node.#serve(socket));
        resolve(node);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    const decoder = new CommandDecoder();
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk) => {
      decoder.push(chunk);
      while (decoder.next()) {
        const words = decoder.argv.map(String);
        const reply = this.#own(words) ?? this.misbehave(words, socket);
        if (reply !== undefined) socket.write(reply, "latin1");
      }
    });
  }

  #own([name = "", sub = ""]: readonly string[]): string | undefined {
    switch (name.toLowerCase()) {
      case "cluster":
        return sub.toLowerCase() === "slots"
          ? `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:${this.owner}\r\n$1\r\nx\r\n`
          : "-ERR no\r\n";
      case "info":
        return "$22\r\nredis_version:7.0.15\r\n\r\n";
      case "hello":
        return "-ERR unknown command\r\n";
      case "client":
        return "+OK\r\n";
      case "command":
        return "*0\r\n";
      default:
        return undefined;
    }
  }
}
