/**
 * Raising a register of a sparse HyperLogLog in place. The same sequence of calls must give the
 * same bytes as in Redis, because clients read and compare them: which runs are split and joined,
 * and when it becomes dense, is part of the format.
 */
import type { ByteString } from "../../store/byte-string.js";
import { makeDense, raiseDense } from "./dense.js";
import {
  HEADER_BYTES,
  markStale,
  readRun,
  type Run,
  runBytes,
  SPARSE_VALUE_MAX,
  VALUE_RUN_MAX,
} from "./layout.js";

export type Raised = "raised" | "kept" | "corrupt";

/** Splitting the worst run, long zeros in their middle, takes 5 bytes for 2. */
const GROWTH_MAX = 3;
/** Opcodes that are tried for joining, from the one in front of the change on. */
const JOIN_STEPS = 5;

interface Place {
  /** Of the opcode that covers the register. */
  at: number;
  /** Of the opcode in front of it, or of the first one. */
  before: number;
  /** The first register of the opcode. */
  first: number;
}

export function raiseSparse(
  bytes: ByteString,
  register: number,
  value: number,
  sparseBytesMax: number,
): Raised {
  if (value > SPARSE_VALUE_MAX) return promote(bytes, register, value);
  const memory = bytes.writable(bytes.length + GROWTH_MAX);
  const run: Run = { value: 0, length: 0, bytes: 0 };
  const place = locate(memory, bytes.length, register, run);
  if (place === undefined) return "corrupt";
  if (run.value >= value) return "kept";
  const { first } = place;
  const sequence = [
    ...(register > first ? runBytes(run.value, register - first) : []),
    ...runBytes(value, 1),
    ...(register < first + run.length - 1
      ? runBytes(run.value, first + run.length - 1 - register)
      : []),
  ];
  const growth = sequence.length - run.bytes;
  if (growth > 0 && bytes.length + growth > sparseBytesMax) {
    return promote(bytes, register, value);
  }
  memory.copyWithin(place.at + sequence.length, place.at + run.bytes, bytes.length);
  memory.set(sequence, place.at);
  bytes.length += growth;
  joinValues(memory, bytes, place.before);
  markStale(bytes);
  return "raised";
}

/** Finds the opcode that covers the register and reads it into `run`. */
function locate(memory: Uint8Array, end: number, register: number, run: Run): Place | undefined {
  const place: Place = { at: HEADER_BYTES, before: HEADER_BYTES, first: 0 };
  while (place.at < end) {
    readRun(memory, place.at, end, run);
    if (register < place.first + run.length) return place;
    place.before = place.at;
    place.at += run.bytes;
    place.first += run.length;
  }
  return undefined;
}

/** Joins neighbouring runs of the same value, as far as one opcode can hold them. */
function joinValues(memory: Uint8Array, bytes: ByteString, from: number): void {
  const run: Run = { value: 0, length: 0, bytes: 0 };
  const next: Run = { value: 0, length: 0, bytes: 0 };
  let at = from;
  for (let steps = JOIN_STEPS; at < bytes.length && steps > 0; steps -= 1) {
    readRun(memory, at, bytes.length, run);
    if (run.value > 0 && at + 1 < bytes.length) {
      readRun(memory, at + 1, bytes.length, next);
      const length = run.length + next.length;
      if (next.value === run.value && length <= VALUE_RUN_MAX) {
        memory[at + 1] = runBytes(run.value, length)[0] as number;
        memory.copyWithin(at, at + 1, bytes.length);
        bytes.length -= 1;
        continue;
      }
    }
    at += run.bytes;
  }
}

function promote(bytes: ByteString, register: number, value: number): Raised {
  if (!makeDense(bytes)) return "corrupt";
  return raiseDense(bytes, register, value) ? "raised" : "kept";
}
