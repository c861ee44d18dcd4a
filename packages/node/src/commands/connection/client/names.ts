/** What connections may be called. */

export const nameError = "ERR Client names cannot contain spaces, newlines or special characters.";

/** Visible ASCII only, or CLIENT LIST could not be split at its blanks. */
export function isPrintableWord(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0) return true;
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}
