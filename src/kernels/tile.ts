// What the kernels that work in register tiles share: matmul and the three convolutions.

import tile from "../../shaders/parts/tile.wgsl?raw";
import { type DeviceFacts, fold, type Grid, type Holes, MOST_GROUPS } from "./kernel.ts";

export interface Tiling {
  readonly holes: Holes;
  readonly grid: Grid;
}

/**
 * Tiles for a result of rows x columns, whose sum is cut into `parts`.
 *
 * On a CPU adapter 8 x 8 tiles in groups of 16 threads: arithmetic in registers is all that counts there. On a GPU 4 x 4
 * tiles in groups of 64, since it needs many threads to hide its memory's latency. The shape of a group is the one that
 * leaves the fewest threads without work: they would still take their place in the vector units.
 *
 * Where an axis has more groups than WebGPU allows, both are counted as one and folded anew; `place_of` takes that back.
 */
export function tilingFor(device: DeviceFacts, rows: number, columns: number, parts = 1): Tiling {
  const [side, threads] = device.software ? [8, 16] : [4, 64];
  const tiles = [Math.ceil(columns / side), Math.ceil(rows / side), parts] as const;
  const x = Math.min(8, 2 ** Math.ceil(Math.log2(tiles[0])));
  let best = { y: threads / x, z: 1, slots: Number.POSITIVE_INFINITY };
  for (let z = 1; z * x <= threads; z *= 2) {
    const y = threads / x / z;
    const slots = Math.ceil(tiles[1] / y) * y * Math.ceil(parts / z) * z;
    if (slots < best.slots) best = { y, z, slots };
  }
  const { y, z } = best;
  const [across, down, deep] = [Math.ceil(tiles[0] / x), Math.ceil(tiles[1] / y), Math.ceil(parts / z)];
  const folded = Math.max(across, down) > MOST_GROUPS;
  const [width, height] = folded ? fold(across * down) : [across, down];
  const at = `workgroup.y * ${width}u + workgroup.x`;
  const place = folded
    ? `let at = ${at}; return vec3u(at % ${across}u, at / ${across}u, workgroup.z)`
    : "return workgroup";
  return {
    holes: {
      TILE: `${tile}\nfn place_of(workgroup: vec3u) -> vec3u { ${place}; }\n`,
      WIDE: side === 8,
      WORKGROUP_X: x,
      WORKGROUP_Y: y,
      WORKGROUP_Z: z,
    },
    grid: [width, height, deep],
  };
}
