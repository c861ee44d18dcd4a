/**
 * The hash slot of a key: CRC16 (XMODEM, polynomial 0x1021) of the key, or of its hash tag, modulo
 * 16384. Owns nothing else; knows no owner of any slot. Strings are taken as latin1, one char per
 * byte, which is how nodes hold keys; other users should go through `cluster-key-slot`, to which
 * the test compares this.
 */

export const slotCount = 16384;

const slotMask = slotCount - 1;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const crc16Table = buildCrc16Table();

/** Slot of a key whose char codes are bytes. */
export function keySlot(key: string): number {
  const length = key.length;
  let start = 0;
  let end = length;
  const open = key.indexOf("{");
  if (open >= 0) {
    const close = key.indexOf("}", open + 1);
    // An empty tag `{}` does not count: the whole key is hashed.
    if (close > open + 1) {
      start = open + 1;
      end = close;
    }
  }
  let crc = 0;
  for (let i = start; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ (crc16Table[((crc >>> 8) ^ key.charCodeAt(i)) & 0xff] as number);
  }
  return crc & slotMask;
}

/** Slot of a key given as bytes. */
export function keySlotOfBytes(key: Uint8Array): number {
  let start = 0;
  let end = key.length;
  const open = key.indexOf(openBrace);
  if (open >= 0) {
    const close = key.indexOf(closeBrace, open + 1);
    if (close > open + 1) {
      start = open + 1;
      end = close;
    }
  }
  let crc = 0;
  for (let i = start; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ (crc16Table[((crc >>> 8) ^ (key[i] as number)) & 0xff] as number);
  }
  return crc & slotMask;
}

function buildCrc16Table(): Uint16Array {
  const table = new Uint16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[byte] = crc;
  }
  return table;
}
