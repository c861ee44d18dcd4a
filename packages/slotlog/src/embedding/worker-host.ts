// A node in a worker thread of its own: it has its own heap and event loop, and what it is told
// goes to the `LocalHost` there.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Host, ReservedPorts } from "./host.js";

/** What a worker is asked, by the method of `Host` that it stands for. */
export interface HostCall {
  readonly call: number;
  readonly method: Exclude<keyof Host, "dispose" | "kill">;
  readonly args: readonly unknown[];
}

export interface HostAnswer {
  /** -1: a client has ended the node with SHUTDOWN. */
  readonly call: number;
  readonly error?: { readonly message: string; readonly code?: string };
}

export class WorkerHost implements Host {
  readonly #onShutdown: () => void;
  readonly #heapMb: number | undefined;
  #worker: Worker | undefined;
  #calls = 0;
  readonly #open = new Map<number, { resolve(): void; reject(error: Error): void }>();

  constructor(onShutdown: () => void, heapMb?: number) {
    this.#onShutdown = onShutdown;
    this.#heapMb = heapMb;
  }

  reserve(options: ReservedPorts): Promise<void> {
    return this.#call("reserve", options);
  }

  start(args: readonly string[]): Promise<void> {
    return this.#call("start", args);
  }

  async stop(): Promise<void> {
    await this.#call("stop");
    await this.kill();
  }

  async kill(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    for (const { reject } of this.#open.values()) reject(new Error("the node was killed"));
    this.#open.clear();
  }

  pause(): Promise<void> {
    return this.#call("pause");
  }

  resume(): Promise<void> {
    return this.#call("resume");
  }

  cutOff(ports: readonly number[]): Promise<void> {
    return this.#call("cutOff", ports);
  }

  dispose(): Promise<void> {
    return this.kill();
  }

  #call(method: HostCall["method"], ...args: readonly unknown[]): Promise<void> {
    const worker = (this.#worker ??= this.#startWorker());
    this.#calls += 1;
    const call = this.#calls;
    worker.postMessage({ call, method, args } satisfies HostCall);
    return new Promise((resolve, reject) => {
      this.#open.set(call, { resolve, reject });
    });
  }

  #startWorker(): Worker {
    // Beside this file, compiled or not, as this file is.
    const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
    const worker = new Worker(new URL(`./worker${ending}`, import.meta.url), {
      // Flags of the program (--test, --eval) are not for it.
      execArgv: [],
      ...(this.#heapMb === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: this.#heapMb } }),
    });
    worker.on("message", (answer: HostAnswer) => this.#onAnswer(answer));
    void once(worker, "error").then(
      ([error]) => this.#fail(worker, error as Error),
      () => {},
    );
    return worker;
  }

  #onAnswer({ call, error }: HostAnswer): void {
    if (call === -1) this.#onShutdown();
    const open = this.#open.get(call);
    this.#open.delete(call);
    if (error === undefined) open?.resolve();
    else open?.reject(Object.assign(new Error(error.message), { code: error.code }));
  }

  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
    this.#onShutdown();
  }
}
