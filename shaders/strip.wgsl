// The products of conv2d.wgsl by strips: a thread makes STRIP neighbours of a line of results for ACROSS columns, and reads each pixel of a line
// once for all taps that meet it. Y and dX: a strip are positions of a line, its terms are (ky, c) with all taps of that row. dW (TRANSPOSE_A): a
// strip are the taps of a row of the filter in DEEP channels, its terms are OTHER positions of a line at a time. What there is of each is written
// by strip.ts: pixels x<offset>_<channel>, lines of B o<other>_<block>, sums s<result>_<block>.

// A line of pixels under a row of a window, and whether there is one: for the results of a line, counted through all images.
struct Line { at: u32, is_there: bool }

fn line_under(line: u32, ky: u32) -> Line {
  let y = u32(i32(line % OUT_HEIGHT * STRIDE_HEIGHT) - PAD_TOP + i32(ky) * DILATION_HEIGHT);
  let image = line / OUT_HEIGHT;
  return Line((image * HEIGHT + y) * WIDTH, (y < HEIGHT) & (image < BATCH));
}

// Beside a line of pixels there are zeros.
fn pixel(line: Line, origin: u32, x: i32) -> f32 {
  return select(0, a[(line.at + u32(x)) * (GROUPS * CHANNELS) + origin], line.is_there & (u32(x) < WIDTH));
}

// Four neighbours of B along n that meet pixels: position i of dY from (row, start), or tap i of W in (ky, channel). Each of a quad loads one, and
// has its own in front. Beyond N there may be anything, since it is not stored.
fn other(origin: u32, under: vec2u, i: u32, n: u32, lane: u32) -> vec4f {
#if ${TRANSPOSE_A}
  let at = origin + (under.x * OUT_WIDTH + under.y + i) * LINE + n;
  let step = 1u;
  let inside = (OUT_WIDTH % ${OTHER} == 0) | (under.y + i < OUT_WIDTH);
#else
  let tap = under.x * KERNEL_WIDTH + i;
  let inside = true;
#if ${TRANSPOSE_B}
  let at = origin + (tap * FILTERS + n) * (GROUPS * CHANNELS) + under.y;
  let step = GROUPS * CHANNELS;
#else
  let at = origin + (tap * CHANNELS + under.y) * LINE + n;
  let step = 1u;
#endif
#endif
#if ${QUADS}
  let own = select(0, b[at + lane % 4 * step], inside);
  return vec4f(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
#else
  return select(vec4f(), vec4f(b[at], b[at + step], b[at + 2 * step], b[at + 3 * step]), inside);
#endif
}

// Four results in the order of columns.
fn ordered(sums: vec4f, lane: u32) -> vec4f {
#if ${QUADS}
  let pairs = select(sums, sums.yxwz, lane % 2 == 1);
  return select(pairs, pairs.zwxy, lane / 2 % 2 == 1);
#else
  return sums;
#endif
}

// Whether there is a result of a strip, and in which row of C it stands.
#if ${TRANSPOSE_A}
fn is_there(strip: vec2u, result: u32) -> bool { return strip.y + result / KERNEL_WIDTH < CHANNELS; }

fn row_of(strip: vec2u, result: u32) -> u32 {
  return (strip.x * KERNEL_WIDTH + result % KERNEL_WIDTH) * CHANNELS + strip.y + result / KERNEL_WIDTH;
}
#else
fn is_there(strip: vec2u, result: u32) -> bool { return strip.y + result < OUT_WIDTH; }

fn row_of(strip: vec2u, result: u32) -> u32 { return strip.x * OUT_WIDTH + strip.y + result; }
#endif

@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = tile_of(workgroup, lane);
  let n = id.x * ${ACROSS};
  // The same for all of a quad: what is beyond an end alone is not stored.
  if (n >= N || id.z >= GROUPS * SPLITS) { return; }
  let part = id.z / GROUPS;
  let group = ${GROUP};
  let from_a = group * GROUP_A;
  let from_b = group * GROUP_B;
  let from_c = part * (GROUPS * M * N) + group * GROUP_C;
  ${SUMS}
#if ${TRANSPOSE_A}
  let blocks = (CHANNELS + ${DEEP}u - 1) / ${DEEP}u;
  let runs = (OUT_WIDTH + ${OTHER}u - 1) / ${OTHER}u;
  let all = BATCH * OUT_HEIGHT * runs;
  let each = (all + SPLITS - 1) / SPLITS;
  let strip = vec2u(id.y / blocks, id.y % blocks * ${DEEP}u);
  let end = min(all, (part + 1) * each);
  let lines = KERNEL_HEIGHT;
#if ${LONG}
  // In blocks, for a long sum of equal numbers loses digits.
  for (var begin = part * each; begin < end; begin += 1024 / ${OTHER}u) {
    ${PARTS}
    for (var run = begin; run < min(end, begin + 1024 / ${OTHER}u); run++) {
#else
    for (var run = part * each; run < end; run++) {
#endif
      let under = vec2u(run / runs, run % runs * ${OTHER}u);
      let line = line_under(under.x, strip.x);
      let channel = strip.y;
      let first = i32(under.y * STRIDE_WIDTH) - PAD_LEFT;
      ${PRODUCTS}
      ${ADD_COLUMNS}
    }
#if ${LONG}
    ${ADD_PARTS}
  }
#endif
#else
  let runs = (OUT_WIDTH + ${STRIP}u - 1) / ${STRIP}u;
  let strip = vec2u(id.y / runs, id.y % runs * ${STRIP}u);
  let first = i32(strip.y * STRIDE_WIDTH) - PAD_LEFT;
  // One loop, since what it carries is copied each time that it begins anew.
  for (var k = 0u; k < KERNEL_HEIGHT * CHANNELS; k++) {
    let under = vec2u(k / CHANNELS, k % CHANNELS);
    let channel = under.y;
    let line = line_under(strip.x, under.x);
    ${PRODUCTS}
  }
  let lines = BATCH * OUT_HEIGHT;
#endif
  ${JOINED}
  if (strip.x >= lines) { return; }
  ${STORES}
  settle();
#if ${COLUMN_SUM}
  if (id.y == 0) {
    let from_sum = part * LINE + from_c % LINE;
    ${STORE_SUMS}
  }
#endif
}
