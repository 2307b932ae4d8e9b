// Products by tiles of registers: each thread computes DOWN x ACROSS results, behind the text of tile.wgsl and that of the kernel, which says
// where numbers stand: `spot_at` is what it knows of a stored line of A, `line_a` four neighbours in one under the `taps_of` a place, with zeros beyond K,
// and `place_b` the place of B[k, n] where B is stored as [N, K] (TRANSPOSE_B). A `Walk` is a place in a sum as the kernel counts it, carried from step
// to step, so that no loop over registers divides. SHARES threads of a workgroup share the sums of a tile, four terms in turn, and what they have is
// added in a fixed order (SHARED). What there is of each block of a tile, c<row>_<column>, a<row>, b<column>, is written by block.ts.
const SHARES = ${SHARES}u;
const STEP = ${STEP}u;  // terms from what a thread takes to what it takes next
const SLOTS = ${THREADS}u / SHARES;  // tiles of a workgroup

// Four neighbours in a stored line of B. Beyond K there are zeros, since what stands there may be no number; beyond N anything, since it
// is not stored.
#if ${TRANSPOSE_B}
#if ${VECTOR_B}
fn line_b(origin: u32, k: Walk, n: u32) -> vec4f { return b[place_b(origin, k, n) / 4]; }
#else
fn element_b(origin: u32, k: Walk, n: u32) -> f32 { return select(0, b[place_b(origin, k, n)], is_term(k)); }

fn line_b(origin: u32, k: Walk, n: u32) -> vec4f {
  let next = walk_next(k);
  let third = walk_next(next);
  return vec4f(element_b(origin, k, n), element_b(origin, next, n), element_b(origin, third, n), element_b(origin, walk_next(third), n));
}
#endif
#else
fn line_b(origin: u32, k: u32, n: u32) -> vec4f {
  let at = origin + k * LINE + n;
  let beyond = (K % 4 != 0) & (k >= K);
#if ${VECTOR_B}
  return select(b[at / 4], vec4f(), beyond);
#else
  return select(vec4f(b[at], b[at + 1], b[at + 2], b[at + 3]), vec4f(), beyond);
#endif
}
#endif

// A block of C or A holds its rows as the columns of a mat4x4f, so that a row is one vec4f; a block of B likewise. fma keeps
// the sum in one rounding per term on every device.
fn row_times(sums: vec4f, row: vec4f, by: mat4x4f) -> vec4f {
  return fma(vec4f(row.w), by[3], fma(vec4f(row.z), by[2], fma(vec4f(row.y), by[1], fma(vec4f(row.x), by[0], sums))));
}

fn add_product(sums: mat4x4f, rows: mat4x4f, by: mat4x4f) -> mat4x4f {
  return mat4x4f(
    row_times(sums[0], rows[0], by), row_times(sums[1], rows[1], by),
    row_times(sums[2], rows[2], by), row_times(sums[3], rows[3], by),
  );
}

#if ${QUADS}
// Four lines, of which each of four neighbours has loaded one.
fn lines_of(line: vec4f) -> mat4x4f { return mat4x4f(${LINES_OF_QUAD}); }
#endif

fn store(m: u32, n: u32, origin: u32, sums: vec4f) {
  let row = ${STORED_ROW};
  if (row < M && n < N) { put(row, n, origin, sums); }
}

#if ${SHARED}
var<workgroup> pieces: array<vec4f, ${THREADS}>;

// The sum of what the threads have that share a tile, in the first of them.
fn joined(lane: u32, own: vec4f) -> vec4f {
  pieces[lane] = own;
  for (var width = ${THREADS}u / 2; width >= SLOTS; width /= 2) {
    workgroupBarrier();
    if (lane < width) { pieces[lane] += pieces[lane + width]; }
  }
  let total = pieces[lane];
  workgroupBarrier();
  return total;
}
#endif

#if ${STAGED}
// STEP terms of A, then of B, for a square of STEP x STEP tiles: each thread loads a line of both, all take theirs from here. Lines
// along m or n stand in rows, of others each fourth beside each other: a block is four lines PITCH apart, and what neighbours read
// lies in other banks.
var<workgroup> tiles: array<vec4f, ${LINES}>;
const PITCH = STEP + 1;

fn block_at(at: u32) -> mat4x4f {
  return mat4x4f(tiles[at], tiles[at + PITCH], tiles[at + 2 * PITCH], tiles[at + 3 * PITCH]);
}
#endif

@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = place_of(workgroup);
  let id = tile_of(workgroup, lane % SLOTS);
  let n = id.x * ${ACROSS};
  let m = id.y * ${DOWN};
  // The same for all of a quad: what is beyond an end alone is not stored.
  let is_there = ${IS_THERE} && id.z < GROUPS * SPLITS;
#if ${STAGED}
  // What is the same for all threads, as their barriers want it. Beyond the last part there are no terms.
  let share = 0u;
  let deep = place.z;
#else
  let share = lane / SLOTS;
  let deep = id.z;
#if ${SHARED}
#else
  if (!is_there) { return; }
#endif
#endif
  let part = deep / GROUPS;
  let group = ${GROUP};
  let from_a = group * GROUP_A;
  let from_b = group * GROUP_B;
  let from_c = part * (GROUPS * M * N) + group * GROUP_C;
  let terms = (K + SPLITS * 4 - 1) / (SPLITS * 4) * 4;

  ${BLOCKS}
#if ${STAGED}
  let row = lane / (STEP / 4);
  let quad = lane % (STEP / 4) * 4;
  let across = (quad + row % 4) * PITCH + row / 4;
  let along = lane / STEP * PITCH + lane % STEP;
  let top = place.y * STEP * 4;
#if ${TRANSPOSE_A}
  let t0 = taps_of(tap_at(top, top + lane % STEP * 4));
  var walk_a = line_at(part * terms + lane / STEP);
#else
  let s0 = spot_at(from_a, line_at(top + row));
#endif
  var walk = tap_at(top, part * terms + quad);
  let end = min(K, (part + 1) * terms);
#else
#if ${TRANSPOSE_A}
  ${TAPS}
  var walk = line_at(part * terms + 4 * share);
#if ${QUADS}
  var walk_a = line_at(part * terms + lane % 4);
#endif
#else
  ${SPOTS}
  var walk = tap_at(m, part * terms + 4 * share);
#endif
  let end = select(0, min(${TERMS}, (part + 1) * terms), is_there);
#endif
#if ${LONG}
  // In blocks, for a long sum of equal numbers loses digits.
  for (var begin = part * terms + 4 * share; begin < end; begin += 1024 * SHARES) {
    ${PARTS}
    for (var k = begin; k < min(end, begin + 1024 * SHARES); k += STEP) {
#else
    for (var k = part * terms + 4 * share; k < end; k += STEP) {
#endif
#if ${STAGED}
#if ${TRANSPOSE_A}
      tiles[along] = line_a(spot_at(from_a, walk_a), t0);
      walk_a = walk_on(walk_a);
#else
      tiles[across] = line_a(s0, taps_of(walk));
#endif
#if ${TRANSPOSE_B}
      tiles[STEP * PITCH + across] = line_b(from_b, walk, place.x * STEP * 4 + row);
#else
      tiles[STEP * PITCH + along] = line_b(from_b, k + lane / STEP, n);
#endif
      workgroupBarrier();
      for (var at = 0u; at < min(STEP, end - k); at += 4) {
#else
      ${LINES_A}
#endif
      ${BLOCKS_B}
      ${PRODUCTS}
      ${ADD_COLUMNS}
#if ${STAGED}
      }
      workgroupBarrier();
#endif
      walk = walk_on(walk);
    }
#if ${LONG}
    ${ADD_PARTS}
  }
#endif

#if ${SHARED}
  c0_0 = mat4x4f(joined(lane, c0_0[0]), joined(lane, c0_0[1]), joined(lane, c0_0[2]), joined(lane, c0_0[3]));
#if ${COLUMN_SUM}
  sum0 = joined(lane, sum0);
#endif
#endif
  if (share != 0 || !is_there) { return; }
  // One after the other, since a copy of the epilogue for each takes long to compile.
  ${TILE}
  for (var i = 0u; i < ${DOWN} * ${ACROSS} / 4; i++) {
    store(m + i / ${ACROSS} * 4 + ${ROW_OF_BLOCK}, n + i / 4 % (${ACROSS} / 4) * 4, from_c, ${ROW});
    ${TURN}
  }
  settle();
#if ${COLUMN_SUM}
  let from_sum = part * LINE + from_c % LINE;
  if (m == 0) {
    ${STORE_SUMS}
  }
#endif
}
