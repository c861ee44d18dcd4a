// The `Disk` port of a node that can be stopped. What the kernel was asked to do it does, whatever
// becomes of the node; files and the directory's lock of a killed one are closed here, as the
// kernel does for a process.

import type { DirectoryLock, Disk, DiskFile } from "@slotlog/node";
import type { Life } from "./life.js";

export class StoppableDisk {
  /** The port. */
  readonly disk: Disk;
  readonly #life: Life;
  readonly #files = new Set<DiskFile>();
  readonly #locks = new Set<DirectoryLock>();

  constructor(disk: Disk, life: Life) {
    this.#life = life;
    const watched = watchedBy(life, disk);
    this.disk = {
      ...bound(watched),
      open: async (path, mode) => this.#keep(await watched.open(path, mode)),
      openSync: (path, mode) => this.#keep(disk.openSync(path, mode)),
      lockDirectory: async (path) => {
        const lock = await watched.lockDirectory(path);
        this.#locks.add(lock);
        return {
          weakness: lock.weakness,
          release: async () => {
            this.#locks.delete(lock);
            await lock.release();
          },
        };
      },
    };
  }

  /** To be called once nothing of a killed node is under way. */
  async closeAll(): Promise<void> {
    for (const file of this.#files) file.closeSync();
    this.#files.clear();
    for (const lock of this.#locks) await lock.release();
    this.#locks.clear();
  }

  #keep(file: DiskFile): DiskFile {
    this.#files.add(file);
    const watched = watchedBy(this.#life, file);
    return new Proxy(watched, {
      get: (target, name) => {
        if (name === "close" || name === "closeSync") this.#files.delete(file);
        return Reflect.get(target, name) as unknown;
      },
    });
  }
}

const diskMethods = [
  "readFile",
  "readFileSync",
  "list",
  "listSync",
  "fileSize",
  "makeDirectory",
  "makeDirectorySync",
  "rename",
  "renameSync",
  "remove",
  "removeSync",
  "syncDirectory",
  "syncDirectorySync",
] as const satisfies readonly (keyof Disk)[];

type PlainDisk = Pick<Disk, (typeof diskMethods)[number]>;

function bound(disk: Disk): PlainDisk {
  const methods = diskMethods.map((name) => [name, disk[name]]);
  return Object.fromEntries(methods) as PlainDisk;
}

/** Calls go to `target` while the node lives, and their ends come when it runs. */
function watchedBy<T extends object>(life: Life, target: T): T {
  return new Proxy(target, {
    get: (_, name) => {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        // What already runs when a node is killed may still do its next synchronous step.
        if (life.dead && !String(name).endsWith("Sync")) return new Promise(() => {});
        const result = Reflect.apply(member, target, args) as unknown;
        return result instanceof Promise ? life.watch(result) : result;
      };
    },
  });
}
