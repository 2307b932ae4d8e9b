// npm run study: one of the studies, each a command with words of its own.

import { argv } from "node:process";

await (argv.includes("--adapters")
  ? import("./adapters/main.ts")
  : argv.includes("--yours")
    ? import("./yours/main.ts")
    : argv.includes("--race")
      ? import("./race/main.ts")
      : argv.includes("--claims")
        ? import("./claims/main.ts")
        : import("./rates.ts"));
