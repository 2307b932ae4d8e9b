// dX[b, iy, ix, c] = sum over ky, kx, f of dY[b, (iy + pad - ky) / stride, (ix + pad - kx) / stride, f] W[ky, kx, c, f],
// over the taps for which both quotients are whole and inside dY.
// An implicit matrix product: m counts input positions, n channels, k = (ky, kx, f). Each thread computes an 8 x 8 (WIDE)
// or 4 x 4 tile in registers; x counts tiles along n, y along m. Vector loads need filters (dY, W) or channels (dX) in fours.
${TILE}
${EPILOGUE}
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

#if ${VECTOR_W}
@group(0) @binding(0) var<storage, read> dy: array<vec4f>;  // [B, OH, OW, F]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;  // [kh, kw, C, F]
#else
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
#endif
#if ${VECTOR_X}
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;  // [B, H, W, C]
#else
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
#endif

// Input position m: first row of dY's image, and the position counted with the padding.
fn position_at(m: u32) -> vec3i {
  let image = m / (HEIGHT * WIDTH);
  return vec3i(vec3u(image * OUT_HEIGHT, m / WIDTH % HEIGHT + PAD_TOP, m % WIDTH + PAD_LEFT));
}

// dY where tap k / F of its window lies on a position, at filter k % F; elsewhere zero.
#if ${VECTOR_W}
fn line_dy(position: vec3i, k: u32) -> vec4f {
#else
fn element_dy(position: vec3i, k: u32) -> f32 {
#endif
  let tap = k / FILTERS;
  let ty = position.y - i32(tap / KERNEL_WIDTH);
  let tx = position.z - i32(tap % KERNEL_WIDTH);
  let oy = ty / i32(STRIDE_HEIGHT);
  let ox = tx / i32(STRIDE_WIDTH);
  let whole = (oy * i32(STRIDE_HEIGHT) == ty) & (ox * i32(STRIDE_WIDTH) == tx);
  let inside = whole & (u32(ty) < OUT_HEIGHT * STRIDE_HEIGHT) & (u32(tx) < OUT_WIDTH * STRIDE_WIDTH)
    & (tap < KERNEL_HEIGHT * KERNEL_WIDTH);
  let at = u32((position.x + oy) * i32(OUT_WIDTH) + ox) * FILTERS + k % FILTERS;
#if ${VECTOR_W}
  return select(vec4f(), dy[select(0, at / 4, inside)], inside);
}
#else
  return select(0, dy[select(0, at, inside)], inside);
}

fn line_dy(position: vec3i, k: u32) -> vec4f {
  return vec4f(
    element_dy(position, k), element_dy(position, k + 1), element_dy(position, k + 2), element_dy(position, k + 3));
}
#endif

// W at channel n for k .. k+3, k = (ky, kx, f); zeros beyond the last tap, since what stands there may be no number.
fn line_w(n: u32, k: u32) -> vec4f {
#if ${VECTOR_W}
  return w[((k / FILTERS * CHANNELS + n) * FILTERS + k % FILTERS) / 4];
#else
  return vec4f(element_w(n, k), element_w(n, k + 1), element_w(n, k + 2), element_w(n, k + 3));
#endif
}

#if ${VECTOR_W}
#else
fn element_w(n: u32, k: u32) -> f32 {
  let height = KERNEL_HEIGHT * KERNEL_WIDTH * FILTERS;
  if (height % 4 != 0 && k >= height) { return 0; }
  return w[(k / FILTERS * CHANNELS + n) * FILTERS + k % FILTERS];
}
#endif

fn block_w(k: u32, n: u32) -> mat4x4f {
  return transpose(mat4x4f(line_w(n, k), line_w(n + 1, k), line_w(n + 2, k), line_w(n + 3, k)));
}

fn store(m: u32, n: u32, block: mat4x4f) {
  var rows = block;
  if (n >= CHANNELS) { return; }
  for (var i = 0u; i < 4 && m + i < BATCH * HEIGHT * WIDTH; i++) {
    let at = (m + i) * CHANNELS + n;
    let value = epilogue(rows[i], at, n);
#if ${VECTOR_X}
    check(value);
    dx[at / 4] = value;
#else
    for (var j = 0u; j < 4 && n + j < CHANNELS; j++) {
      check_one(value[j]);
      dx[at + j] = value[j];
    }
#endif
  }
}

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
  if (n >= CHANNELS || m >= BATCH * HEIGHT * WIDTH) { return; }
  let p0 = position_at(m);
  let p1 = position_at(m + 1);
  let p2 = position_at(m + 2);
  let p3 = position_at(m + 3);
  var x00 = mat4x4f();
#if ${WIDE}
  let p4 = position_at(m + 4);
  let p5 = position_at(m + 5);
  let p6 = position_at(m + 6);
  let p7 = position_at(m + 7);
  var x01 = mat4x4f();
  var x10 = mat4x4f();
  var x11 = mat4x4f();
#endif
  for (var k = 0u; k < KERNEL_HEIGHT * KERNEL_WIDTH * FILTERS; k += 4) {
    let y0 = mat4x4f(line_dy(p0, k), line_dy(p1, k), line_dy(p2, k), line_dy(p3, k));
    let w0 = block_w(k, n);
    x00 = add_product(x00, y0, w0);
#if ${WIDE}
    let y1 = mat4x4f(line_dy(p4, k), line_dy(p5, k), line_dy(p6, k), line_dy(p7, k));
    let w1 = block_w(k, n + 4);
    x01 = add_product(x01, y0, w1);
    x10 = add_product(x10, y1, w0);
    x11 = add_product(x11, y1, w1);
#endif
  }
  store(m, n, x00);
#if ${WIDE}
  store(m, n + 4, x01);
  store(m + 4, n, x10);
  store(m + 4, n + 4, x11);
#endif
  settle();
}
