// dW[ky, kx, c, f] = sum over b, oy, ox of X[b, oy * stride + ky - pad, ox * stride + kx - pad, c] dY[b, oy, ox, f],
// and, with COLUMN_SUM, the bias gradient: the sum over b, oy, ox of dY[b, oy, ox, f].
// An implicit matrix product: m = (ky, kx, c), n counts filters, k output positions. Each thread computes an 8 x 8 (WIDE)
// or 4 x 4 tile in registers; x counts tiles along n, y along m, z parts of the sum. Vector loads need channels (X) or
// filters (dY, dW) in fours.
${TILE}
${CHECK}
const WORKGROUP_X = ${WORKGROUP_X}u;
const WORKGROUP_Y = ${WORKGROUP_Y}u;
const WORKGROUP_Z = ${WORKGROUP_Z}u;

override BATCH: u32;
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32;
override OUT_HEIGHT: u32;
override OUT_WIDTH: u32;
override FILTERS: u32;
override KERNEL_HEIGHT: u32;
override KERNEL_WIDTH: u32;
override STRIDE_HEIGHT: u32;
override STRIDE_WIDTH: u32;
override PAD_TOP: u32;
override PAD_LEFT: u32;
override SPLITS: u32;

#if ${VECTOR_X}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [B, H, W, C]
#else
@group(0) @binding(0) var<storage, read> x: array<f32>;
#endif
#if ${VECTOR_W}
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;  // [B, OH, OW, F]
@group(0) @binding(2) var<storage, read_write> dw: array<vec4f>;  // [kh, kw, C, F], or [SPLITS, kh, kw, C, F]
#else
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
#endif
#if ${COLUMN_SUM}
@group(0) @binding(3) var<storage, read_write> sum: array<f32>;  // [F], or [SPLITS, F]
#endif

// Where the window of output position k begins: first row of its image, top and left edge; far outside beyond the last.
fn window_at(k: u32) -> vec3i {
  let image = k / (OUT_HEIGHT * OUT_WIDTH);
  let oy = k / OUT_WIDTH % OUT_HEIGHT;
  let ox = k % OUT_WIDTH;
  let edge = vec3i(vec3u(image * HEIGHT, oy * STRIDE_HEIGHT, ox * STRIDE_WIDTH)) - vec3i(0, i32(PAD_TOP), i32(PAD_LEFT));
  return select(edge, vec3i(0, -65536, 0), image >= BATCH);
}

// X under tap m / C of a window, at channel m % C; outside the image there are zeros. A negative edge is a large u32. The
// conditions are joined by `&`: with `&&` each call becomes a tree of branches, and compiling takes minutes on a CPU.
#if ${VECTOR_X}
fn line_x(window: vec3i, m: u32) -> vec4f {
#else
fn element_x(window: vec3i, m: u32) -> f32 {
#endif
  let tap = m / CHANNELS;
  let iy = window.y + i32(tap / KERNEL_WIDTH);
  let ix = window.z + i32(tap % KERNEL_WIDTH);
  let inside = (u32(iy) < HEIGHT) & (u32(ix) < WIDTH);
  let at = u32((window.x + iy) * i32(WIDTH) + ix) * CHANNELS + m % CHANNELS;
#if ${VECTOR_X}
  return select(vec4f(), x[select(0, at / 4, inside)], inside);
}
#else
  return select(0, x[select(0, at, inside)], inside);
}

fn line_x(window: vec3i, m: u32) -> vec4f {
  return vec4f(element_x(window, m), element_x(window, m + 1), element_x(window, m + 2), element_x(window, m + 3));
}
#endif

// Four filters of dY at position k; zeros beyond the last position.
fn line_dy(k: u32, n: u32) -> vec4f {
  if (BATCH * OUT_HEIGHT * OUT_WIDTH % 4 != 0 && k >= BATCH * OUT_HEIGHT * OUT_WIDTH) { return vec4f(); }
#if ${VECTOR_W}
  return dy[(k * FILTERS + n) / 4];
#else
  let at = k * FILTERS + n;
  return vec4f(dy[at], dy[at + 1], dy[at + 2], dy[at + 3]);
#endif
}

fn store(m: u32, n: u32, part: u32, block: mat4x4f) {
  var rows = block;
  let height = KERNEL_HEIGHT * KERNEL_WIDTH * CHANNELS;
  if (n >= FILTERS) { return; }
  for (var i = 0u; i < 4 && m + i < height; i++) {
    let at = (part * height + m + i) * FILTERS + n;
#if ${VECTOR_W}
    check(rows[i]);
    dw[at / 4] = rows[i];
#else
    for (var j = 0u; j < 4 && n + j < FILTERS; j++) {
      check_one(rows[i][j]);
      dw[at + j] = rows[i][j];
    }
#endif
  }
}

#if ${COLUMN_SUM}
fn store_sum(n: u32, part: u32, value: vec4f) {
  for (var j = 0u; j < 4 && n + j < FILTERS; j++) {
    check_sum(value[j]);
    sum[part * FILTERS + n + j] = value[j];
  }
}
#endif

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let id = place_of(workgroup) * vec3u(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z) + local;
#if ${WIDE}
  let n = id.x * 8;
  let m = id.y * 8;
#else
  let n = id.x * 4;
  let m = id.y * 4;
#endif
  let part = id.z;
  if (n >= FILTERS || m >= KERNEL_HEIGHT * KERNEL_WIDTH * CHANNELS || part >= SPLITS) { return; }
  let positions = BATCH * OUT_HEIGHT * OUT_WIDTH;
  let terms = (positions + SPLITS * 4 - 1) / (SPLITS * 4) * 4;
  let end = min(positions, (part + 1) * terms);

  var w00 = mat4x4f();
#if ${WIDE}
  var w01 = mat4x4f();
  var w10 = mat4x4f();
  var w11 = mat4x4f();
#endif
#if ${COLUMN_SUM}
  var sum0 = vec4f();
  var sum1 = vec4f();
#endif
  for (var begin = part * terms; begin < end; begin += 1024) {
#if ${COLUMN_SUM}
    // In blocks, for a long sum of equal numbers loses digits.
    var part0 = vec4f();
    var part1 = vec4f();
#endif
    for (var k = begin; k < min(end, begin + 1024); k += 4) {
      let p0 = window_at(k);
      let p1 = window_at(k + 1);
      let p2 = window_at(k + 2);
      let p3 = window_at(k + 3);
      let x0 = transpose(mat4x4f(line_x(p0, m), line_x(p1, m), line_x(p2, m), line_x(p3, m)));
      let y0 = mat4x4f(line_dy(k, n), line_dy(k + 1, n), line_dy(k + 2, n), line_dy(k + 3, n));
      w00 = add_product(w00, x0, y0);
#if ${COLUMN_SUM}
      part0 += y0[0] + y0[1] + y0[2] + y0[3];
#endif
#if ${WIDE}
      let x1 = transpose(mat4x4f(line_x(p0, m + 4), line_x(p1, m + 4), line_x(p2, m + 4), line_x(p3, m + 4)));
      let y1 = mat4x4f(line_dy(k, n + 4), line_dy(k + 1, n + 4), line_dy(k + 2, n + 4), line_dy(k + 3, n + 4));
      w01 = add_product(w01, x0, y1);
      w10 = add_product(w10, x1, y0);
      w11 = add_product(w11, x1, y1);
#if ${COLUMN_SUM}
      part1 += y1[0] + y1[1] + y1[2] + y1[3];
#endif
#endif
    }
#if ${COLUMN_SUM}
    sum0 += part0;
    sum1 += part1;
#endif
  }

  store(m, n, part, w00);
#if ${WIDE}
  store(m, n + 4, part, w01);
  store(m + 4, n, part, w10);
  store(m + 4, n + 4, part, w11);
#endif
  settle();
#if ${COLUMN_SUM}
  if (m == 0) {
    store_sum(n, part, sum0);
#if ${WIDE}
    store_sum(n + 4, part, sum1);
#endif
  }
#endif
}
