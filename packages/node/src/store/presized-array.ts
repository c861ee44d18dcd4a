/** Arrays that are allocated at their final size at once, as `push` and `Array.from` do not. */

export function presizedArray<T>(length: number, value: T): T[] {
  // oxlint-disable-next-line unicorn/no-new-array -- a length is meant, see above
  return new Array<T>(length).fill(value);
}
