// Which names a pattern finds: a table of hand-written cases, and random ones against the reference, which goes letter by letter.

import { describe, expect, test } from "vitest";
import { matching } from "../../src/pattern.ts";
import { names } from "../reference/rate-table.ts";

const all = [
  ...["weight", "bias", "head.bias", "header.bias", "stem.0.weight", "stem.0.bias", "stem.0.norm.bias"],
  ...["blocks.0.fc.weight", "blocks.12.fc.weight", "blocks.12.norm.bias", "blocks.fc"],
];

function found(pattern: string): string[] {
  try {
    return matching("rates", pattern, all, all);
  } catch (error) {
    expect(String(error)).toContain("matches no layer");
    return [];
  }
}

describe("a pattern", () => {
  test.each<[pattern: string, expected: string[]]>([
    ["**.bias", ["bias", "head.bias", "header.bias", "stem.0.bias", "stem.0.norm.bias", "blocks.12.norm.bias"]],
    ["*.bias", ["head.bias", "header.bias"]],
    ["bias", ["bias"]],
    ["**bias", ["bias", "head.bias", "header.bias", "stem.0.bias", "stem.0.norm.bias", "blocks.12.norm.bias"]],
    ["**.weight", ["weight", "stem.0.weight", "blocks.0.fc.weight", "blocks.12.fc.weight"]],
    ["stem.**.bias", ["stem.0.bias", "stem.0.norm.bias"]],
    ["stem.0.**.bias", ["stem.0.bias", "stem.0.norm.bias"]],
    ["stem.**", ["stem.0.weight", "stem.0.bias", "stem.0.norm.bias"]],
    ["blocks.**.fc", ["blocks.0.fc.weight", "blocks.12.fc.weight", "blocks.fc"]],
    ["blocks.1**.bias", ["blocks.12.norm.bias"]],
    ["**.**.bias", ["bias", "head.bias", "header.bias", "stem.0.bias", "stem.0.norm.bias", "blocks.12.norm.bias"]],
    ["**.*.bias", ["head.bias", "header.bias", "stem.0.bias", "stem.0.norm.bias", "blocks.12.norm.bias"]],
    ["**.head.bias", ["head.bias"]],
    ["head**.bias", ["head.bias", "header.bias"]],
    ["b**.bias", ["blocks.12.norm.bias"]],
    ["h*d.bias", ["head.bias"]],
    ["**", all],
    ["*", all],
    ["**.ias", []],
    ["stem.0.weight.**", []],
  ])("%s", (pattern, expected) => {
    expect(found(pattern)).toEqual(expected);
    expect(all.filter((name) => names(pattern, name))).toEqual(expected);
  });

  test("finds what the reference finds, of every kind", () => {
    let seed = 1;
    const below = (n: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * n);
    };
    const parts = ["**", "*", "stem", "0", "bias", "weight", "blocks", "1*", "fc", "**s", "s**", "head"];
    let hits = 0;
    for (let i = 0; i < 3000; i++) {
      const pattern = Array.from({ length: 1 + below(4) }, () => parts[below(parts.length)]).join(".");
      const expected = all.filter((name) => names(pattern, name));
      expect(found(pattern), pattern).toEqual(expected);
      hits += expected.length > 0 ? 1 : 0;
    }
    expect(hits).toBeGreaterThan(500);
    expect(hits).toBeLessThan(2900);
  });
});

test("a misspelt pattern for a bare layer, which has no name, lists its tensors", () => {
  expect(() => matching("rates", "wieght", ["weight", "bias"], [""])).toThrowErrorMatchingInlineSnapshot(
    `[NameError: rates: "wieght" matches no layer. Did you mean "weight"? Tensors: weight, bias.]`,
  );
});
