// What a network says of a picture: a row for each class, with a bar as long as its odds.

import { make } from "../page/element.ts";

export const oddsOf = (names: readonly string[], odds: ArrayLike<number>): HTMLElement[] =>
  names.map((name, i) => {
    const part = odds[i] ?? 0;
    const row = make("div", "", make("dt", "", name), make("dd", "", `${Math.round(100 * part)} %`));
    row.style.setProperty("--part", String(part));
    return row;
  });
