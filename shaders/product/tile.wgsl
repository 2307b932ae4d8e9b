// What all products have: their numbers, where a thread stands, and how it stores. C[m, n] = sum over k of A[m, k] B[k, n] for each of
// GROUPS such products, then the epilogue; with COLUMN_SUM also the sum over k of B[k, n]. x counts tiles along n, y along m, z groups and,
// more slowly, parts of the sum.
${EPILOGUE}
${CHECK}
override M: u32;
override N: u32;
override K: u32;
override SPLITS: u32;
override GROUPS: u32;
// From the numbers of one group to those of the next: whole matrices, or columns beside columns.
override GROUP_A: u32;
override GROUP_B: u32;
override GROUP_C: u32;
override LINE: u32;  // from one row of C to the next, and of B where that is stored as [K, N]

// vec4f where rows are loaded and stored in fours (VECTOR_A, VECTOR_B, VECTOR_C), else f32.
@group(0) @binding(0) var<storage, read> a: array<${A}>;  // [M, K], or [K, M] (TRANSPOSE_A)
@group(0) @binding(1) var<storage, read> b: array<${B}>;  // [K, N], or [N, K] (TRANSPOSE_B)
@group(0) @binding(2) var<storage, read_write> c: array<${C}>;  // [M, N], or [SPLITS, M, N]
#if ${COLUMN_SUM}
@group(0) @binding(3) var<storage, read_write> sum: array<f32>;  // [N], or [SPLITS, N]
#endif

// Four results of a row of C that stand beside each other.
fn put(row: u32, n: u32, origin: u32, sums: vec4f) {
  let at = origin + row * LINE + n;
  let value = epilogue(sums, at, n + origin % LINE);
#if ${VECTOR_C}
  check(value);
  c[at / 4] = value;
#else
  check_one(value.x);
  c[at] = value.x;
  if (n + 1 < N) { check_one(value.y); c[at + 1] = value.y; }
  if (n + 2 < N) { check_one(value.z); c[at + 2] = value.z; }
  if (n + 3 < N) { check_one(value.w); c[at + 3] = value.w; }
#endif
}

#if ${COLUMN_SUM}
// Its numbers stand like a row of C.
fn store_sum(n: u32, at: u32, value: vec4f) {
  for (var j = 0u; j < 4 && n + j < N; j++) {
    check_sum(value[j]);
    sum[at + n + j] = value[j];
  }
}
#endif

// Grids are folded where an axis has more groups than WebGPU allows.
fn place_of(workgroup: vec3u) -> vec3u { ${PLACE}; }

// Which tile a thread has that is the `slot`th of a workgroup.
fn tile_of(workgroup: vec3u, slot: u32) -> vec3u {
  let side = vec3u(${WORKGROUP_X}, ${WORKGROUP_Y}, ${WORKGROUP_Z});
  return place_of(workgroup) * side + vec3u(slot % side.x, slot / side.x % side.y, slot / (side.x * side.y));
}
