// The one door through which shader text goes to the device. wgsl-preprocessor resolves `#if`; this door makes it strict:
// every hole must be filled and every value used, conditions are boolean, and unknown directives are refused, all of
// which the preprocessor by itself lets pass in silence.

import { wgsl } from "wgsl-preprocessor/wgsl-preprocessor.js";
import { bug } from "../errors.ts";
import { cutAtHoles, type Holes } from "./kernel.ts";

/** Shader `name` with its holes filled. */
export function specialise(name: string, source: string, holes: Holes): string {
  const pieces = cutAtHoles(source);
  const strings = pieces.filter((_, i) => i % 2 === 0);
  const wanted = pieces.filter((_, i) => i % 2 === 1);
  checkDirectives(name, source);
  const values = wanted.map((hole, i) => {
    const value = holes[hole];
    const isCondition = /#(?:if|elif)[ \t]+$/.test(strings[i] as string);
    if (value === undefined) return bug(`shader ${name}: nothing was given for the hole ${hole}`);
    if (isCondition !== (typeof value === "boolean")) {
      return bug(
        `shader ${name}: ${hole} is ${typeof value}, but ${isCondition ? "a condition" : "the text"} needs another type`,
      );
    }
    return value;
  });
  const unused = Object.keys(holes).filter((hole) => !wanted.includes(hole));
  if (unused.length > 0) bug(`shader ${name}: no hole is called ${unused.join(" or ")}`);
  return wgsl(Object.assign([...strings], { raw: strings }), ...values);
}

function checkDirectives(name: string, source: string): void {
  for (const [at, line] of source.split("\n").entries()) {
    const allowed = /^#(?:(?:if|elif) \$\{?[A-Z0-9_]+[}$]|else|endif)$/.test(line);
    if (line.includes("#") && !allowed) bug(`shader ${name}, line ${at + 1}: "${line}" is no directive`);
  }
}
