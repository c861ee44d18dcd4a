/**
 * The append-only directory and its manifest on disk. Owns which files make up the data set, and
 * makes every change to that durable before anyone may rely on it; knows no record.
 */

import path from "node:path";
import { errnoText } from "../adapters/disk-error.js";
import type { Disk, Log } from "../ports.js";
import {
  emptyManifest,
  formatManifest,
  type Manifest,
  manifestName,
  parseManifest,
} from "./manifest.js";
import { replaceFile } from "./replace-file.js";

export interface AofDirectoryOptions {
  readonly disk: Disk;
  readonly log: Log;
  /** The node's working directory, where an AOF of Redis 6 and older lies as a single file. */
  readonly dataDirectory: string;
  /** `appenddirname` */
  readonly directoryName: string;
  /** `appendfilename` */
  readonly appendFilename: string;
}

export class AofDirectory {
  readonly disk: Disk;
  readonly log: Log;
  readonly dataDirectory: string;
  readonly path: string;
  readonly directoryName: string;
  readonly appendFilename: string;
  private current: Manifest = emptyManifest;
  /** The manifest on disk may be one that we gave up. */
  private uncertain = false;
  /** Replacements of the manifest, one after the other. */
  private pending: Promise<void> = Promise.resolve();

  constructor(options: AofDirectoryOptions) {
    this.disk = options.disk;
    this.log = options.log;
    this.dataDirectory = options.dataDirectory;
    this.path = path.join(options.dataDirectory, options.directoryName);
    this.directoryName = options.directoryName;
    this.appendFilename = options.appendFilename;
  }

  /** What the manifest on disk says, as far as we know. */
  get manifest(): Manifest {
    return this.current;
  }

  pathOf(name: string): string {
    return path.join(this.path, name);
  }

  /** Reads the manifest; the empty one if there is none. Throws a `ManifestError`. */
  async load(): Promise<void> {
    const content = await this.disk.readFile(this.pathOf(manifestName(this.appendFilename)));
    this.current = content === undefined ? emptyManifest : parseManifest(content);
  }

  /**
   * Makes a change of the manifest durable; `change` sees the newest one. If it rejects, the
   * manifest in memory is the old one, and the one on disk is the old or the new. So names that the
   * change gave out are not given out again: a manifest that we do not know of may count on them.
   */
  replaceManifest(change: (manifest: Manifest) => Manifest): Promise<void> {
    const step = async (): Promise<void> => {
      const next = change(this.current);
      try {
        await this.persist(next);
        this.current = next;
      } catch (error) {
        const { baseSequence, incrementSequence } = next;
        this.current = { ...this.current, baseSequence, incrementSequence };
        throw error;
      }
    };
    return this.queue(step);
  }

  /**
   * Makes sure that the manifest on disk is ours again after a replacement failed half way. Needed
   * before anything is written on the strength of the old one: if the manifest on disk named a file
   * that repeats our records, they would be loaded twice.
   */
  settle(): Promise<void> {
    return this.queue(async () => {
      if (this.uncertain) await this.persist(this.current);
    });
  }

  private queue(step: () => Promise<void>): Promise<void> {
    const result = this.pending.then(step);
    this.pending = result.catch(() => undefined);
    return result;
  }

  private async persist(manifest: Manifest): Promise<void> {
    this.uncertain = true;
    await replaceFile(this.disk, {
      directory: this.path,
      name: manifestName(this.appendFilename),
      content: Buffer.from(formatManifest(manifest), "latin1"),
    });
    this.uncertain = false;
  }

  /** Deletes superseded files and then forgets them; a failure only leaves them for next time. */
  async removeHistory(): Promise<void> {
    const { history } = this.current;
    if (history.length === 0) return;
    const removed = new Set<string>();
    for (const info of history) {
      this.log.notice(`Removing the history file ${info.name} in the background`);
      try {
        const file = this.pathOf(info.name);
        if ((await this.disk.fileSize(file)) !== undefined) await this.disk.remove(file);
        removed.add(info.name);
      } catch (error) {
        this.log.warning(`Can't remove the history file ${info.name}: ${errnoText(error)}`);
      }
    }
    await this.replaceManifest((manifest) => ({
      ...manifest,
      history: manifest.history.filter((info) => !removed.has(info.name)),
    }));
  }
}
