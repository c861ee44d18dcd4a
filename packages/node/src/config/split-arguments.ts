/**
 * Words of a configuration line: the quoting rules that redis.conf, inline commands and redis-cli
 * share, and their inverse. Owns characters only; knows no directive. Texts are byte strings: each
 * character stands for one byte, so that what a client sends and what a file holds compare equal.
 */

const SPACE = /[ \t\n\v\f\r]/;
const HEX_ESCAPE = /^\\x([0-9a-fA-F]{2})/;
const ESCAPED: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

/** The words of `line`, or `undefined` if a quote is not closed or is followed by more text. */
export function splitArguments(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && SPACE.test(line[at]!)) at++;
    if (at >= line.length) return words;
    const word = readWord(line, at);
    if (word === undefined) return undefined;
    words.push(word.text);
    at = word.end;
  }
}

/** `text` in double quotes, so that `splitArguments` gives it back. */
export function quoteArgument(text: string): string {
  let quoted = '"';
  for (const character of text) {
    if (character === "\\" || character === '"') quoted += `\\${character}`;
    else if (character === "\n") quoted += "\\n";
    else if (character === "\r") quoted += "\\r";
    else if (character === "\t") quoted += "\\t";
    else if (character === "\x07") quoted += "\\a";
    else if (character === "\b") quoted += "\\b";
    else if (character >= " " && character <= "~") quoted += character;
    else quoted += `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  }
  return `${quoted}"`;
}

interface Word {
  readonly text: string;
  readonly end: number;
}

/**
 * Quotes may begin in the middle of a word (`ab"c d"` is one word), but must end it. Outside of
 * quotes only blank, tab and line ends separate; the other white space is skipped between words
 * and kept inside one, as Redis has it.
 */
function readWord(line: string, start: number): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length) {
    const character = line[at]!;
    if (character === '"' || character === "'") {
      const quoted = character === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
      if (quoted === undefined) return undefined;
      if (quoted.end < line.length && !SPACE.test(line[quoted.end]!)) return undefined;
      return { text: text + quoted.text, end: quoted.end };
    }
    if (character === " " || character === "\n" || character === "\r" || character === "\t") break;
    text += character;
    at++;
  }
  return { text, end: at };
}

function readDouble(line: string, start: number): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length) {
    const character = line[at]!;
    if (character === '"') return { text, end: at + 1 };
    if (character !== "\\" || at + 1 >= line.length) {
      text += character;
      at++;
      continue;
    }
    const hex = HEX_ESCAPE.exec(line.slice(at, at + 4));
    if (hex !== null) {
      text += String.fromCharCode(Number.parseInt(hex[1]!, 16));
      at += 4;
      continue;
    }
    text += ESCAPED[line[at + 1]!] ?? line[at + 1]!;
    at += 2;
  }
  return undefined;
}

function readSingle(line: string, start: number): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length) {
    if (line[at] === "'") return { text, end: at + 1 };
    if (line[at] === "\\" && line[at + 1] === "'") {
      text += "'";
      at += 2;
      continue;
    }
    text += line[at]!;
    at++;
  }
  return undefined;
}
