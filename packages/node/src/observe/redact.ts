/** Which words of a command must not appear in MONITOR, the slow log or a log line. */
import { sensitiveWords } from "../config/config-commands.js";

const hidden = "(redacted)";

/** The words with passwords replaced; the same array if there are none. */
export function redacted(fullName: string, argv: readonly string[]): readonly string[] {
  const places = secretPlaces(fullName, argv);
  if (places.length === 0) return argv;
  return argv.map((word, index) => (places.includes(index) ? hidden : word));
}

function secretPlaces(fullName: string, argv: readonly string[]): readonly number[] {
  switch (fullName) {
    case "auth":
      return argv.length === 2 ? [1] : [1, 2];
    case "hello":
      return behind(argv, "auth", 2);
    case "config|set":
      return sensitiveWords(argv.slice(2)).map((index) => index + 2);
    case "acl|setuser":
      return argv.flatMap((_, index) => (index > 2 ? [index] : []));
    case "acl|getuser":
    case "acl|deluser":
      return argv.flatMap((_, index) => (index > 1 ? [index] : []));
    case "migrate":
      return [...behind(argv, "auth", 1), ...behind(argv, "auth2", 2)];
    default:
      return [];
  }
}

/** The places of the `count` words behind a keyword. */
function behind(argv: readonly string[], keyword: string, count: number): number[] {
  const at = argv.findIndex((word, index) => index > 0 && word.toLowerCase() === keyword);
  if (at < 0) return [];
  return Array.from({ length: count }, (_, i) => at + 1 + i).filter((i) => i < argv.length);
}
