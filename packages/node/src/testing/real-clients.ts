/** Several connections to a real server, with what each was told so far. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

type Words = readonly string[];

export class RealClients {
  readonly #sockets: readonly Socket[];
  readonly #heard: string[];
  readonly #control: Socket;
  #controlHeard = "";
  #controlWaits: (() => void) | undefined;

  private constructor(sockets: readonly Socket[], control: Socket) {
    this.#sockets = sockets;
    this.#heard = sockets.map(() => "");
    this.#control = control;
    for (const [index, socket] of sockets.entries()) {
      socket.on("data", (bytes: Buffer) => {
        this.#heard[index] += bytes.toString("latin1");
      });
    }
    control.on("data", (bytes: Buffer) => {
      this.#controlHeard += bytes.toString("latin1");
      if (!this.#controlHeard.endsWith("+PONG\r\n")) return;
      this.#controlHeard = "";
      this.#controlWaits?.();
    });
  }

  static async connect(port: number, count: number): Promise<RealClients> {
    const sockets: Socket[] = [];
    for (let index = 0; index <= count; index++) {
      const socket = connect(port, "127.0.0.1");
      // Else a second small write would wait for the answer to the first, which blocks.
      socket.setNoDelay(true);
      await once(socket, "connect");
      sockets.push(socket);
    }
    return new RealClients(sockets.slice(1), sockets[0] as Socket);
  }

  /** Says it, and comes back when all that follows from it has been told to everybody. */
  async say(index: number, words: Words): Promise<void> {
    const bulks = words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
    this.#sockets[index]?.write(Buffer.from(`*${words.length}\r\n${bulks}`, "latin1"));
    // The server reads its sockets in any order: the second PING is surely behind the command, and
    // what the server wrote before its answer has arrived when that has.
    for (let round = 0; round < 2; round++) {
      const answered = new Promise<void>((resolve) => {
        this.#controlWaits = resolve;
      });
      this.#control.write("PING\r\n");
      await answered;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** What a client was told since the last call. */
  heard(index: number): string {
    const text = this.#heard[index] ?? "";
    this.#heard[index] = "";
    return text;
  }

  close(): void {
    for (const socket of [...this.#sockets, this.#control]) socket.destroy();
  }
}
