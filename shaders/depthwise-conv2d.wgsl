// Images under a filter for each channel, and both ways back; a thread makes TALL lines of a strip, and reads each pixel once for all:
//   C[b, oy, ox, c] = the sum of A[b, iy, ix, c] W[ky, kx, c] over the taps of the window that lie in the image;
//   BACK: C[b, iy, ix, c] = the sum of dY[b, oy, ox, c] W[ky, kx, c] over the windows that see this pixel under that tap;
//   FILTER: C[s, ky, kx, c] = the sum of A[b, iy, ix, c] dY[b, oy, ox, c] over the positions in the strips of part s.
// No two threads write one number. PRODUCTS holds which pixel and which number of B, counted from the first ones of both, meet in
// which result. Beside pixels there are zeros.

override BACK: bool;
override IMAGES: u32;  // of results: B, or parts
override DOWN: u32;  // lines of such an image
override ACROSS: u32;  // results of a line
override OTHERS: u32;  // numbers of a line of B

@group(0) @binding(0) var<storage, read> a: array<V>;  // [B, H, W, C]; BACK: dY, [B, OH, OW, C]
@group(0) @binding(1) var<storage, read> b: array<V>;  // [kh, kw, C]; FILTER: dY, [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> c: array<V>;  // [B, OH, OW, C]; BACK: [B, H, W, C]; FILTER: [parts, kh, kw, C]

// Left of a line the column wraps round to one beyond.
fn pixel(line: u32, is_there: bool, column: u32, at: vec4u) -> V {
  let width = select(WIDTH, OUT_WIDTH, BACK);
  let inside = is_there & (column < width);
  return select(V(), a[select(0, (line * width + column) * LANES + at.x, inside)], inside);
}
fn other(line: u32, column: u32, at: vec4u) -> V {
  let inside = column < OTHERS;
  return select(V(), b[select(0, (line * OTHERS + column) * LANES + at.x, inside)], inside);
}

fn put(value: V, at: vec4u, row: u32, j: u32) {
  let line = at.z * ${TALL}u + row;
  let column = at.y * ${STRIP}u + j;
  let i = ((at.w * DOWN + line) * ACROSS + column) * LANES + at.x;
  if (line < DOWN && column < ACROSS) { c[i] = ended(value, i); }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  let at = place(i, (ACROSS + ${STRIP}u - 1) / ${STRIP}u, (DOWN + ${TALL}u - 1) / ${TALL}u);
  if (at.w >= IMAGES) { return; }
  let begin = at.y * ${STRIP}u;
  let top = at.z * ${TALL}u;
  ${SUMS}
#if ${FILTER}
  let strips = (OTHERS + ${OTHER}u - 1) / ${OTHER}u;
  let all = BATCH * strips * OUT_HEIGHT;
  let height = (all + IMAGES - 1) / IMAGES;
  let end = min(all, (at.w + 1) * height);
  for (var k = at.w * height; k < end; ) {
    // Down the lines of an image: those that the next window sees too are handed on.
    let column = k / OUT_HEIGHT;
    let image = column / strips;
    let start = column % strips * ${OTHER}u;
    let x = start * STRIDE_WIDTH + begin - PAD_LEFT;
    let y = k % OUT_HEIGHT * STRIDE_HEIGHT + top - PAD_TOP;
    let line = image * HEIGHT + y;
    ${HANDED_ON}
    for (let stop = min(end, (column + 1) * OUT_HEIGHT); k < stop; k++) {
      let row = k % OUT_HEIGHT;
      let y = row * STRIDE_HEIGHT + top - PAD_TOP;
      let line_of_b = image * OUT_HEIGHT + row;
      let line = image * HEIGHT + y;
#else
    let rows = select(rows_seen(at.z), rows_seeing(at.z), BACK);
    let start = 0u;
    let x = select(begin * STRIDE_WIDTH - PAD_LEFT, begin / STRIDE_WIDTH, BACK);
    for (var y = rows.x; y < rows.y; y++) {
      let line_of_b = PAD_TOP + select(y - at.z * STRIDE_HEIGHT, at.z - y * STRIDE_HEIGHT, BACK);
      let line = at.w * select(HEIGHT, OUT_HEIGHT, BACK) + y;
#endif
      ${PRODUCTS}
    }
#if ${FILTER}
  }
#endif
  ${RESULTS}
}
