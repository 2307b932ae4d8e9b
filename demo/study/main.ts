// npm run study: one of the studies, each a command with words of its own.

import { argv } from "node:process";

const studies: Readonly<Record<string, () => Promise<unknown>>> = {
  "--adapters": () => import("./adapters/main.ts"),
  "--yours": () => import("./yours/main.ts"),
  "--pretrained": () => import("./pretrained/main.ts"),
  "--race": () => import("./race/main.ts"),
  "--claims": () => import("./claims/main.ts"),
};

const named = argv.find((word) => Object.hasOwn(studies, word));
await (named === undefined ? import("./rates.ts") : studies[named]?.());
