// Images under a filter for each channel, and both ways back. A thread makes a strip of a line of results, for which it reads each pixel
// of a row once:
//   C[b, oy, ox, c] = the sum of A[b, iy, ix, c] W[ky, kx, c] over the taps of the window that lie in the image;
//   BACK: C[b, iy, ix, c] = the sum of dY[b, oy, ox, c] W[ky, kx, c] over the windows that see this pixel under that tap;
//   FILTER: C[s, ky, kx, c] = the sum of A[b, iy, ix, c] dY[b, oy, ox, c] over the positions in the strips of part s, in blocks: a long
//   sum of equal numbers loses digits.
// All of them gather, no two threads write one number. PRODUCTS holds which pixel and which number of B, counted from the first ones of
// both strips, meet in which result.
const LONG = 32u;

override IMAGES: u32;  // of results: B, or parts
override DOWN: u32;  // lines of such an image
override ACROSS: u32;  // results of a line
override STRIPS: u32;  // of a line
override PIXELS: u32;  // of a line of A
override OTHER_ACROSS: u32;  // numbers of a line of B
override OTHER_STRIPS: u32;  // of it

@group(0) @binding(0) var<storage, read> a: array<V>;  // [B, H, W, C]; BACK: dY, [B, OH, OW, C]
@group(0) @binding(1) var<storage, read> b: array<V>;  // [kh, kw, C]; FILTER: dY, [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> c: array<V>;  // [B, OH, OW, C]; BACK: [B, H, W, C]; FILTER: [parts, kh, kw, C]

// Beside a line there are zeros; left of it the column wraps round to one beyond.
fn pixel(line: u32, column: u32, lane: u32) -> V {
  return select(V(), a[(line * PIXELS + column) * LANES + lane], column < PIXELS);
}
fn other(line: u32, column: u32, lane: u32) -> V {
  return select(V(), b[(line * OTHER_ACROSS + column) * LANES + lane], column < OTHER_ACROSS);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (workgroup.y * groups.x + workgroup.x) * 64 + thread;
  let at = place(i, STRIPS, DOWN);
  if (at.w >= IMAGES) { return; }
  let lane = at.x;
  let begin = at.y * ${STRIP}u;
  ${SUMS}
#if ${FILTER}
  let strips = BATCH * OUT_HEIGHT * OTHER_STRIPS;
  let height = (strips + IMAGES - 1) / IMAGES;
  let end = min(strips, (at.w + 1) * height);
  for (var block = at.w * height; block < end; block += LONG) {
    for (var k = block; k < min(end, block + LONG); k++) {
      let row = k / OTHER_STRIPS;
      let iy = row % OUT_HEIGHT * STRIDE_HEIGHT + at.z - PAD_TOP;
      if (iy >= HEIGHT) { continue; }
      let line = row / OUT_HEIGHT * HEIGHT + iy;
      let start = k % OTHER_STRIPS * ${OTHERS}u;
      let first = start * STRIDE_WIDTH + begin - PAD_LEFT;
      ${PRODUCTS}
    }
    ${KEEP}
  }
#else
  let rows = ${ROWS}(at.z);
  for (var y = rows.x; y < rows.y; y++) {
    let line = at.w * ${LINES} + y;
    ${EACH} {
      let start = k * ${OTHERS}u;
#if ${BACK}
      let row = at.z + PAD_TOP - y * STRIDE_HEIGHT;
      let first = begin / STRIDE_WIDTH - start / STRIDE_WIDTH;
#else
      let row = y + PAD_TOP - at.z * STRIDE_HEIGHT;
      let first = begin * STRIDE_WIDTH + start - PAD_LEFT;
#endif
      ${PRODUCTS}
    }
  }
#endif
  let line = i / (LANES * STRIPS) * ACROSS;
  ${RESULTS}
}

fn put(value: V, line: u32, column: u32, lane: u32) {
  if (column >= ACROSS) { return; }
  let o = (line + column) * LANES + lane;
  c[o] = ended(value, o);
}
