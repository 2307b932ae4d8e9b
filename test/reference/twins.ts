// The registry: op name -> twin, found in the files of test/reference/op, and the twins of the update rules.

import { adadelta } from "./adadelta.ts";
import { adagrad } from "./adagrad.ts";
import { adam } from "./adam.ts";
import { adamax } from "./adamax.ts";
import { elementwise, formulas } from "./elementwise.ts";
import { lion } from "./lion.ts";
import { nadam } from "./nadam.ts";
import { radam } from "./radam.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";
import type { Twin, UpdateTwin } from "./twin.ts";

/** Each exports its twins under the names of their ops, and nothing else. */
const files = import.meta.glob<Readonly<Record<string, Twin>>>("./op/*.ts", { eager: true });

/** Another view of the same numbers. */
const reshape: Twin = ([x]) => [x!];

export const twins: Readonly<Record<string, Twin>> = Object.assign(
  { reshape },
  ...Object.keys(formulas).map((op) => ({ [op]: elementwise })),
  ...Object.values(files),
);

export const updateTwins: Readonly<Record<string, UpdateTwin>> = {
  adadelta,
  adagrad,
  adam,
  adamax,
  lion,
  nadam,
  radam,
  rmsprop,
  sgd,
};
