/**
 * What only this node has, kept aside before its data are replaced by a primary's: after a
 * failover the records behind the point where the new primary's history leaves ours, as
 * `salvage/N.aof`; where neither backlog nor AOF reaches back to that point, or it is not known,
 * the whole AOF as `salvage/N/`. It owns the files' names and their limit.
 *
 * Nothing is overwritten, and all is on disk before the old data may go.
 */
import path from "node:path";
import { type Argument, CommandDecoder, encodeCommand, ProtocolError } from "@slotlog/resp";
import type { AofDirectory } from "../aof/directory.js";
import { copyFile } from "../aof/inspect/copy-file.js";
import { walkAof } from "../aof/inspect/replay-order.js";
import { locateAof } from "../aof/inspect/source.js";
import { type AofFileInfo, formatManifest, manifestName } from "../aof/manifest.js";
import { replaceFile } from "../aof/replace-file.js";
import type { Ports } from "../ports.js";
import type { Backlog } from "../replication/core/backlog.js";
import { divergence, type HistorySpan } from "../replication/core/divergence.js";

export interface SalvageParts {
  readonly ports: Ports;
  readonly config: { readonly salvageMax: number; readonly aofTimestampEnabled: boolean };
  readonly stats: { salvages: number; salvagedRecords: number };
  readonly directory: AofDirectory;
  /** An AOF is being written. */
  readonly hasAof: () => boolean;
  /** Resolves when the AOF's files hold all that was accepted. */
  readonly aofWritten: () => Promise<void>;
  /** Our place in the replication history, and the last of its stream. */
  readonly history: () => HistorySpan & { readonly backlog: Backlog | undefined };
  /** The database that the stream has selected at its end. */
  readonly streamDatabase: () => number;
  readonly holdsKeys: () => boolean;
}

interface Tail {
  /** Records without the SELECTs and annotations around them. */
  readonly records: number;
  readonly chunks: readonly Buffer[];
}

const directoryName = "salvage";

export class Salvage {
  readonly #parts: SalvageParts;
  /** The place in the history for which all was done already: a sync may be tried many times. */
  #doneAt = "";
  /** The number of a copy of the AOF that is not complete. */
  #unfinished: number | undefined;

  constructor(parts: SalvageParts) {
    this.#parts = parts;
  }

  /**
   * Our data will be replaced by those of a primary with this history. Rejects if what only we have
   * cannot be kept: then the data must stay.
   */
  async keep(theirs: HistorySpan | undefined): Promise<void> {
    const { config, history } = this.#parts;
    const ours = history();
    if (config.salvageMax === 0 || ours.offset === 0) return;
    const place = `${ours.id} ${ours.offset}`;
    if (place === this.#doneAt) return;
    const first = theirs === undefined ? undefined : divergence(ours, theirs);
    if (first === undefined) await this.#keepAll("its history and ours have nothing in common");
    else if (first <= ours.offset) await this.#keepFrom(first, ours.offset);
    this.#doneAt = place;
  }

  async #keepFrom(first: number, last: number): Promise<void> {
    const { config } = this.#parts;
    const fromBacklog = (): Tail | undefined => this.#tailOfBacklog(first);
    const fromAof = (): Promise<Tail | undefined> => this.#tailOfAof(first);
    // Only the AOF knows when things were written.
    const tail = config.aofTimestampEnabled
      ? ((await fromAof()) ?? fromBacklog())
      : (fromBacklog() ?? (await fromAof()));
    if (tail === undefined) {
      await this.#keepAll(`neither backlog nor AOF reaches back to offset ${first}`);
    } else if (tail.records > 0) await this.#writeTail(tail, first, last);
  }

  /** `undefined` if the backlog does not reach back so far, nor to a SELECT where one matters. */
  #tailOfBacklog(first: number): Tail | undefined {
    const { history, streamDatabase } = this.#parts;
    const { backlog, offset } = history();
    if (backlog === undefined || !backlog.holds(first) || offset !== backlog.nextOffset - 1) {
      return undefined;
    }
    // From the very beginning it is known which database is selected.
    const from = backlog.isWhole ? backlog.firstOffset : first;
    const found: Found[] = [];
    let database: number | undefined;
    try {
      for (const { argv, start } of commandsOf(backlog, from)) {
        const name = String(argv[0]).toLowerCase();
        if (name === "select") database = Number(argv[1]);
        else if (start >= first && !notWritten.has(name)) found.push({ argv, database });
      }
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
    const unknown = found.some((record) => record.database === undefined);
    // Where no SELECT came at all, the database is that of the end.
    if (unknown && database !== undefined) return undefined;
    const writer = new TailWriter();
    for (const record of found) writer.record(record.database ?? streamDatabase(), record.argv);
    return writer.tail;
  }

  async #tailOfAof(first: number): Promise<Tail | undefined> {
    const { aofWritten, directory, hasAof } = this.#parts;
    if (!hasAof()) return undefined;
    await aofWritten();
    const source = await locateAof(directory.disk, directory.path);
    const writer = new TailWriter();
    let reaches = false;
    const walk = await walkAof(directory.disk, source, {
      record: ({ argv, db, file, streamEnd, time }) => {
        if (streamEnd >= 0 && streamEnd < first) {
          reaches = true;
          // What no header speaks of and stands before this is common, too.
          writer.clear();
        } else if (file.role === "base") return;
        else if (String(argv[0]).toLowerCase() !== "select") writer.record(db, argv, time);
      },
    });
    if (walk.broken !== undefined) return undefined;
    const begins = walk.walks[0]?.walk.position?.offset ?? Number.POSITIVE_INFINITY;
    return reaches || begins < first ? writer.tail : undefined;
  }

  async #writeTail({ chunks, records }: Tail, first: number, last: number): Promise<void> {
    const { ports, stats } = this.#parts;
    const { disk, log } = ports;
    const header = Buffer.from(
      `#SALVAGE:v1;replid:${this.#parts.history().id};from:${first};to:${last};` +
        `at:${Math.floor(ports.clock.now() / 1000)};\r\n`,
    );
    const content = Buffer.concat([header, ...chunks]);
    const said = `${records} records of offsets ${first} to ${last} that the new primary never had`;
    const directory = await this.#room(content.length, said);
    if (directory === undefined) return;
    const name = `${await this.#nextNumber(directory)}.aof`;
    await replaceFile(disk, { directory, name, content });
    stats.salvages += 1;
    stats.salvagedRecords += records;
    log.warning(
      `${said} are kept in ${path.join(directory, name)}: 'slotlog aof dump' shows them. ` +
        "They are no part of the data set any more.",
    );
  }

  /** All the files of the AOF, as they are before the data are replaced. */
  async #keepAll(why: string): Promise<void> {
    const { aofWritten, directory: aof, hasAof, holdsKeys, ports, stats } = this.#parts;
    const { disk, log } = ports;
    if (!holdsKeys()) return;
    if (!hasAof()) {
      log.warning(`NOT kept: the data of before the synchronization (${why}): there is no AOF.`);
      return;
    }
    await aofWritten();
    const { base, increments } = aof.manifest;
    const infos: AofFileInfo[] = base === undefined ? [...increments] : [base, ...increments];
    const sizes: number[] = [];
    for (const { name } of infos) sizes.push((await disk.fileSize(aof.pathOf(name))) ?? 0);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const said = `the data of before the synchronization (${why})`;
    const directory = await this.#room(bytes, said);
    if (directory === undefined) return;
    // One that was begun and not finished is begun anew: it has no manifest.
    this.#unfinished ??= await this.#nextNumber(directory);
    const target = path.join(directory, String(this.#unfinished));
    await disk.makeDirectory(target);
    await disk.syncDirectory(directory);
    for (const [index, { name }] of infos.entries()) {
      const to = path.join(target, name);
      await copyFile(disk, { from: aof.pathOf(name), to, bytes: sizes[index] ?? 0 });
    }
    await replaceFile(disk, {
      directory: target,
      name: manifestName(aof.appendFilename),
      content: Buffer.from(formatManifest({ ...aof.manifest, history: [] }), "latin1"),
    });
    this.#unfinished = undefined;
    stats.salvages += 1;
    log.warning(`${said} are kept in ${target}: 'slotlog aof dump' shows them.`);
  }

  /** The directory, which exists then; `undefined` if `bytes` more would be too many in it. */
  async #room(bytes: number, what: string): Promise<string | undefined> {
    const { config, directory: aof, ports } = this.#parts;
    const { disk, log } = ports;
    const directory = path.join(aof.dataDirectory, directoryName);
    const kept = await bytesBelow(ports, directory, this.#unfinished);
    if (kept + bytes > config.salvageMax) {
      log.warning(
        `NOT kept: ${what}. They are ${bytes} bytes, ${directory} holds ${kept}, and salvage-max ` +
          `is ${config.salvageMax}. Move away what is there, or raise the limit.`,
      );
      return undefined;
    }
    await disk.makeDirectory(directory);
    await disk.syncDirectory(aof.dataDirectory);
    return directory;
  }

  async #nextNumber(directory: string): Promise<number> {
    const names = (await this.#parts.ports.disk.list(directory)) ?? [];
    const numbers = names.map((name) => Number(/^\d+/.exec(name)?.[0] ?? 0));
    return Math.max(0, ...numbers) + 1;
  }
}

/** What a stream carries and a log does not. */
const notWritten: ReadonlySet<string> = new Set(["ping", "replconf", "publish", "spublish"]);

interface Found {
  readonly argv: readonly Argument[];
  readonly database: number | undefined;
}

/** Its commands, each with the offset of its first byte. */
function* commandsOf(
  backlog: Backlog,
  from: number,
): Generator<{ readonly argv: readonly Argument[]; readonly start: number }> {
  const decoder = new CommandDecoder({ bulkBytesMax: Number.POSITIVE_INFINITY });
  for (let at = from; ; ) {
    const bytes = backlog.read(at);
    if (bytes === undefined) return;
    at += bytes.length;
    // Decoders borrow what they are given; the backlog's blocks must stay as they are.
    decoder.push(Buffer.from(bytes));
    for (;;) {
      const start = from + decoder.consumedBytes;
      if (!decoder.next()) break;
      yield { argv: decoder.argv.map(owned), start };
    }
  }
}

/** Arguments are valid until the next command. */
function owned(argument: Argument): Argument {
  return Buffer.isBuffer(argument) ? Buffer.from(argument) : argument;
}

class TailWriter {
  readonly #chunks: Buffer[] = [];
  #database = -1;
  #time = -1;
  #records = 0;

  record(database: number, argv: readonly Argument[], time = -1): void {
    if (time !== this.#time) {
      this.#time = time;
      this.#chunks.push(Buffer.from(`#TS:${time}\r\n`));
    }
    if (database !== this.#database) {
      this.#database = database;
      this.#chunks.push(encodeCommand(["SELECT", String(database)]));
    }
    this.#chunks.push(encodeCommand(argv));
    this.#records += 1;
  }

  clear(): void {
    if (this.#records === 0) return;
    this.#chunks.length = 0;
    this.#database = -1;
    this.#time = -1;
    this.#records = 0;
  }

  get tail(): Tail {
    return { records: this.#records, chunks: this.#chunks };
  }
}

/** Without what an attempt that failed has left: it is written anew. */
async function bytesBelow(
  { disk }: Ports,
  directory: string,
  unfinished: number | undefined,
): Promise<number> {
  let bytes = 0;
  for (const name of (await disk.list(directory)) ?? []) {
    if (name.startsWith("temp-") || name === String(unfinished)) continue;
    const full = path.join(directory, name);
    if (name.endsWith(".aof")) bytes += (await disk.fileSize(full)) ?? 0;
    else for (const part of await partsOf(disk, full)) bytes += (await disk.fileSize(part)) ?? 0;
  }
  return bytes;
}

async function partsOf(disk: Ports["disk"], directory: string): Promise<string[]> {
  const names = (await disk.list(directory).catch(() => undefined)) ?? [];
  return names.map((name) => path.join(directory, name));
}
