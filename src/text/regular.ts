// Regular expressions of tokenizer.json, which are those of Oniguruma, as those of JavaScript. What the two write alike stays as it is;
// white space, which they count differently, and groups that pass over case, which older engines lack, are written out. What is left is
// refused by whoever compiles it.

/** White space of Unicode; JavaScript's own counts U+FEFF and not U+0085. */
const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** What a pattern of Oniguruma is here. Throws SyntaxError for what has no form. */
export function regular(source: string): RegExp {
  let text = "";
  /** For each open group, whether it passes over case. */
  const groups = [false];
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const rest = source.slice(at);
    const found = /^\\(?:[pPux]\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/su.exec(rest)?.[0];
    const anyCase = groups.at(-1) === true;
    if (found !== undefined) {
      text += escaped(found, inClass);
      at += found.length - 1;
    } else if (inClass) {
      if (source[at] === "[" || rest.startsWith("&&")) throw new SyntaxError("a class within a class");
      inClass = source[at] !== "]";
      text += source[at];
    } else if (rest.startsWith("(?i:")) {
      groups.push(true);
      text += "(?:";
      at += 3;
    } else if (rest.startsWith("(?i)") && at === 0) {
      groups[0] = true;
      at += 3;
    } else {
      const character = source[at] as string;
      if (character === "(") groups.push(anyCase);
      if (character === ")") groups.pop();
      if (anyCase && character === "[") throw new SyntaxError("a class that passes over case");
      inClass = character === "[";
      const [lower, upper] = [character.toLowerCase(), character.toUpperCase()];
      text += anyCase && lower !== upper ? `[${lower}${upper}]` : character;
    }
  }
  return new RegExp(text, "gu");
}

function escaped(found: string, inClass: boolean): string {
  if (found === "\\s") return inClass ? SPACE : `[${SPACE}]`;
  if (found === "\\S") {
    if (inClass) throw new SyntaxError("\\S within a class");
    return `[^${SPACE}]`;
  }
  // What needs no found under Unicode must have none.
  return /^\\[^\w\s^$\\.*+?()[\]{}|/-]$/u.test(found) || (found === "\\-" && !inClass) ? found.slice(1) : found;
}
