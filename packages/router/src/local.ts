/**
 * Commands about the client's own connection, answered here: who it is, which protocol it speaks,
 * CLIENT. What only a node can know, whether a password is right and whether a user may do that,
 * is asked of one.
 */
import { type Argument, replyErrors, type ReplyWriter } from "@slotlog/resp";
import type { RoutedCommand } from "./catalog.js";
import type { ClusterMode } from "./cluster-mode.js";
import { runClient } from "./client-commands.js";
import type { Credentials, Identities } from "./identity.js";
import { errorReply, isError, lineOf, okReply, type Renderer, simpleReply } from "./render.js";
import type { Session } from "./session.js";

export interface LocalHost {
  readonly renderer: Renderer;
  readonly identities: Identities;
  readonly sessions: ReadonlyMap<number, Session>;
  serverVersion(): string;
  now(): number;
  /** In the order of the client's commands. */
  reply(session: Session, bytes: Buffer, command?: RoutedCommand): void;
  /** Asks some node on the client's behalf; on a connection of its own where it says who it is. */
  ask(
    session: Session,
    words: readonly string[],
    alone: boolean,
    then: (reply: Buffer) => void,
  ): void;
  /** Asks the node that a blocked client waits for to let it go; false if it does not wait. */
  unblock(session: Session, asError: boolean): boolean;
  /** There if the router speaks as a cluster. */
  readonly clusterMode: ClusterMode | undefined;
}

const helloNoAuth =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> " +
  "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol " +
  "version at the same time";
const noCluster = errorReply("ERR This instance has cluster support disabled");
const tooManyUsers =
  "ERR slotlog router: too many different users are connected at once; try again when some left";

export class LocalCommands {
  readonly #host: LocalHost;

  constructor(host: LocalHost) {
    this.#host = host;
  }

  run(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    const words = argv.map((each) => (typeof each === "string" ? each : each.toString("latin1")));
    const [name] = command.fullName.split("|");
    switch (name) {
      // Behind them the client goes other ways, which its earlier commands must not come after.
      case "auth":
        this.#alone(session, () => this.#auth(session, command, words));
        return;
      case "hello":
        this.#alone(session, () => this.#hello(session, command, words));
        return;
      case "quit":
        this.#host.reply(session, okReply, command);
        session.end();
        return;
      case "reset":
        this.#alone(session, () => this.#reset(session, command));
        return;
      default:
        this.#admitted(session, probeOf(command.fullName), command, () =>
          this.#answer(session, command, words),
        );
    }
  }

  #alone(session: Session, then: () => void): void {
    session.holds++;
    session.whenAnswered(() => {
      session.holds--;
      then();
      session.resumeSoon();
    });
  }

  /** Runs `then` if a node lets the client do `probe`, at once if it has before. */
  #admitted(
    session: Session,
    probe: readonly string[],
    command: RoutedCommand,
    then: () => Buffer | undefined,
  ): void {
    const key = probe.join(" ");
    const run = (): void => {
      const reply = then();
      if (reply !== undefined) this.#host.reply(session, reply, command);
    };
    if (session.admitted.has(key)) {
      run();
      return;
    }
    session.holds++;
    this.#host.ask(session, probe, false, (reply) => {
      session.holds--;
      if (isError(reply) && /^(NOAUTH|NOPERM)\b/.test(lineOf(reply))) {
        this.#host.reply(session, reply, command);
      } else {
        if (!isError(reply)) session.admitted.add(key);
        run();
      }
      session.resumeSoon();
    });
  }

  #answer(session: Session, command: RoutedCommand, words: readonly string[]): Buffer | undefined {
    const { renderer } = this.#host;
    switch (command.fullName.split("|")[0]) {
      case "select":
        return selectReply(words[1] ?? "");
      case "swapdb":
        return errorReply("ERR SWAPDB is not allowed in cluster mode");
      case "role":
        return renderer.render(session.protocol, (writer) => {
          writer.array(3);
          writer.bulk("master");
          writer.integer(0);
          writer.array(0);
        });
      // A plain client has no use for them; they change nothing here.
      case "readonly":
      case "readwrite":
        return this.#host.clusterMode === undefined ? noCluster : okReply;
      case "cluster":
        return this.#cluster(session, command, words);
      case "client":
        return runClient(this.#host, session, words);
      default:
        return errorReply(`ERR slotlog router: ${command.fullName} is not handled`);
    }
  }

  #cluster(session: Session, command: RoutedCommand, words: readonly string[]): Buffer | undefined {
    const { clusterMode } = this.#host;
    if (clusterMode === undefined) return noCluster;
    session.holds++;
    clusterMode.cluster(session, words, (reply) => {
      session.holds--;
      this.#host.reply(session, reply, command);
      session.resumeSoon();
    });
    return undefined;
  }

  #auth(session: Session, command: RoutedCommand, words: readonly string[]): void {
    if (words.length > 3) {
      this.#host.reply(session, errorReply(replyErrors.syntax), command);
      return;
    }
    const [user, password] = words.length === 3 ? words.slice(1) : [undefined, words[1]];
    this.#logIn(session, { user, password: password ?? "" }, session.protocol, (refusal) =>
      this.#host.reply(session, refusal ?? okReply, command),
    );
  }

  /** `then` gets the node's refusal, or nothing if the client now is that user. */
  #logIn(
    session: Session,
    credentials: Credentials,
    protocol: 2 | 3,
    then: (refusal: Buffer | undefined) => void,
  ): void {
    const { user, password } = credentials;
    const words = user === undefined ? ["AUTH", password] : ["AUTH", user, password];
    session.holds++;
    this.#host.ask(session, words, true, (reply) => {
      session.holds--;
      const identity = isError(reply)
        ? undefined
        : this.#host.identities.get(protocol, credentials);
      if (identity !== undefined) session.become(identity);
      if (isError(reply)) then(reply);
      else then(identity === undefined ? errorReply(tooManyUsers) : undefined);
      session.resumeSoon();
    });
  }

  #hello(session: Session, command: RoutedCommand, words: readonly string[]): void {
    const refuse = (text: string): void => this.#host.reply(session, errorReply(text), command);
    const version = words[1];
    if (version !== undefined && !/^[+-]?\d{1,9}$/.test(version)) {
      refuse("ERR Protocol version is not an integer or out of range");
      return;
    }
    const wanted = version === undefined ? session.protocol : Number(version);
    if (wanted !== 2 && wanted !== 3) {
      refuse(replyErrors.noProto);
      return;
    }
    const options = helloOptions(words);
    if (typeof options === "string") {
      refuse(options);
      return;
    }
    const greet = (): Buffer => this.#greet(session, wanted, options.name);
    if (options.credentials !== undefined) {
      this.#logIn(session, options.credentials, wanted, (refusal) =>
        this.#host.reply(session, refusal ?? greet(), command),
      );
      return;
    }
    session.holds++;
    this.#host.ask(session, ["PING"], false, (reply) => {
      session.holds--;
      if (isError(reply) && lineOf(reply).startsWith("NOAUTH")) refuse(helloNoAuth);
      else this.#host.reply(session, greet(), command);
      session.resumeSoon();
    });
  }

  #greet(session: Session, protocol: 2 | 3, name: string | undefined): Buffer {
    const { identities, renderer } = this.#host;
    if (protocol !== session.identity.protocol) {
      const identity = identities.get(protocol, session.identity.credentials);
      if (identity === undefined) return errorReply(tooManyUsers);
      const { admitted } = session;
      const before = [...admitted];
      session.become(identity);
      for (const each of before) admitted.add(each);
    }
    session.protocol = protocol;
    if (name !== undefined) session.name = name;
    const fields: readonly (readonly [string, (writer: ReplyWriter) => void])[] = [
      ["server", (writer) => writer.bulk("redis")],
      ["version", (writer) => writer.bulk(this.#host.serverVersion())],
      ["proto", (writer) => writer.integer(protocol)],
      ["id", (writer) => writer.integer(session.id)],
      [
        "mode",
        (writer) => writer.bulk(this.#host.clusterMode !== undefined ? "cluster" : "standalone"),
      ],
      ["role", (writer) => writer.bulk("master")],
      ["modules", (writer) => writer.array(0)],
    ];
    return renderer.render(protocol, (writer) => {
      writer.map(fields.length);
      for (const [field, write] of fields) {
        writer.bulk(field);
        write(writer);
      }
    });
  }

  #reset(session: Session, command: RoutedCommand): void {
    const identity = this.#host.identities.get(2, undefined);
    session.transaction?.onClosed(session);
    session.transaction = undefined;
    session.subscriptions?.onClosed(session);
    session.subscriptions = undefined;
    session.replyMode = "on";
    session.name = "";
    session.noEvict = false;
    session.noTouch = false;
    session.protocol = 2;
    if (identity !== undefined) session.become(identity);
    this.#host.reply(session, simpleReply("RESET"), command);
  }
}

/** A harmless command that a node allows to whom it would allow this one. */
function probeOf(fullName: string): readonly string[] {
  switch (fullName) {
    case "client|kill":
    case "client|unblock":
    case "client|list":
      return [...fullName.split("|"), "ID", "0"];
    default:
      return ["PING"];
  }
}

interface HelloOptions {
  credentials: Credentials | undefined;
  name: string | undefined;
}

/** The options behind the version, or the text of the error. */
function helloOptions(words: readonly string[]): HelloOptions | string {
  const options: HelloOptions = { credentials: undefined, name: undefined };
  for (let i = 2; i < words.length; i++) {
    const option = words[i]?.toLowerCase();
    const [first, second] = [words[i + 1], words[i + 2]];
    if (option === "auth" && first !== undefined && second !== undefined) {
      options.credentials = { user: first, password: second };
      i += 2;
    } else if (option === "setname" && first !== undefined) {
      if (!isPrintableWord(first)) return nameError;
      options.name = first;
      i += 1;
    } else {
      return `ERR Syntax error in HELLO option '${words[i] ?? ""}'`;
    }
  }
  return options;
}

export const nameError = "ERR Client names cannot contain spaces, newlines or special characters.";

export function isPrintableWord(text: string): boolean {
  return /^[!-~]*$/.test(text);
}

function selectReply(word: string): Buffer {
  if (!/^-?\d{1,15}$/.test(word)) return errorReply(replyErrors.notAnInteger);
  return Number(word) === 0 ? okReply : errorReply(replyErrors.selectInCluster);
}
