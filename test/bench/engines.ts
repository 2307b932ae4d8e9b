// How the page comes to each engine. Apart from their names, which also those need who have none of the peers' packages.

import type { EngineModule, EngineName } from "../../demo/bench/engine.ts";

export const engines = {
  gradus: () => import("../../demo/bench/gradus.ts"),
  tfjs: () => import("./tfjs.ts"),
  "jax-js": () => import("./jax.ts"),
  "tfjs wasm": () => import("./tfjs-wasm.ts"),
  "jax-js wasm": () => import("./jax-wasm.ts"),
  tensorgrad: () => import("./tensorgrad.ts"),
  "gradus statistics": async () => ({
    create: (await import("../../demo/bench/gradus.ts")).variant({ statsEvery: 50 }),
  }),
  "gradus frozen": async () => ({ create: (await import("../../demo/bench/gradus.ts")).variant({ frozen: true }) }),
  "gradus cached": async () => ({
    create: (await import("../../demo/bench/gradus.ts")).variant({ frozen: true, cacheFrozen: true }),
  }),
  "gradus tuned": async () => ({ create: (await import("../../demo/bench/gradus.ts")).variant({ tuned: true }) }),
} satisfies Record<EngineName, () => Promise<EngineModule>>;
