// Y[b, oy, ox, f] = sum over ky, kx, c of X[b, oy * stride + ky - pad, ox * stride + kx - pad, c] W[ky, kx, c, f].
// An implicit matrix product: m counts output positions, n filters, k = (ky, kx, c). Each thread computes an 8 x 8 (WIDE)
// or 4 x 4 tile in registers; x counts tiles along n, y along m. Vector loads need channels (X) or filters (W, Y) in fours.
${TILE}
${EPILOGUE}
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

#if ${VECTOR_X}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [B, H, W, C]
#else
@group(0) @binding(0) var<storage, read> x: array<f32>;
#endif
#if ${VECTOR_W}
@group(0) @binding(1) var<storage, read> w: array<vec4f>;  // [kh, kw, C, F]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;  // [B, OH, OW, F]
#else
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif

// Where the window of output position m begins: first row of its image, top and left edge.
fn window_at(m: u32) -> vec3i {
  let image = m / (OUT_HEIGHT * OUT_WIDTH);
  let oy = m / OUT_WIDTH % OUT_HEIGHT;
  let ox = m % OUT_WIDTH;
  return vec3i(vec3u(image * HEIGHT, oy * STRIDE_HEIGHT, ox * STRIDE_WIDTH)) - vec3i(0, i32(PAD_TOP), i32(PAD_LEFT));
}

// X under tap k / C of a window, at channel k % C; outside the image there are zeros. A negative edge is a large u32. The
// conditions are joined by `&`: with `&&` each call becomes a tree of branches, and compiling takes minutes on a CPU.
#if ${VECTOR_X}
fn line_x(window: vec3i, k: u32) -> vec4f {
#else
fn element_x(window: vec3i, k: u32) -> f32 {
#endif
  let tap = k / CHANNELS;
  let iy = window.y + i32(tap / KERNEL_WIDTH);
  let ix = window.z + i32(tap % KERNEL_WIDTH);
  let inside = (u32(iy) < HEIGHT) & (u32(ix) < WIDTH) & (tap < KERNEL_HEIGHT * KERNEL_WIDTH);
  let at = u32((window.x + iy) * i32(WIDTH) + ix) * CHANNELS + k % CHANNELS;
#if ${VECTOR_X}
  return select(vec4f(), x[select(0, at / 4, inside)], inside);
}
#else
  return select(0, x[select(0, at, inside)], inside);
}

fn line_x(window: vec3i, k: u32) -> vec4f {
  return vec4f(element_x(window, k), element_x(window, k + 1), element_x(window, k + 2), element_x(window, k + 3));
}
#endif

// Four filters of row k = (ky, kx, c) of W; zeros beyond the last row, since what stands there may be no number.
fn line_w(k: u32, n: u32) -> vec4f {
  let height = KERNEL_HEIGHT * KERNEL_WIDTH * CHANNELS;
  if (height % 4 != 0 && k >= height) { return vec4f(); }
#if ${VECTOR_W}
  return w[(k * FILTERS + n) / 4];
#else
  let at = k * FILTERS + n;
  return vec4f(w[at], w[at + 1], w[at + 2], w[at + 3]);
#endif
}

fn block_w(k: u32, n: u32) -> mat4x4f {
  return mat4x4f(line_w(k, n), line_w(k + 1, n), line_w(k + 2, n), line_w(k + 3, n));
}

fn store(m: u32, n: u32, block: mat4x4f) {
  var rows = block;
  if (n >= FILTERS) { return; }
  for (var i = 0u; i < 4 && m + i < BATCH * OUT_HEIGHT * OUT_WIDTH; i++) {
    let at = (m + i) * FILTERS + n;
    let value = epilogue(rows[i], at, n);
#if ${VECTOR_W}
    y[at / 4] = value;
#else
    for (var j = 0u; j < 4 && n + j < FILTERS; j++) { y[at + j] = value[j]; }
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
  if (n >= FILTERS || m >= BATCH * OUT_HEIGHT * OUT_WIDTH) { return; }
  let p0 = window_at(m);
  let p1 = window_at(m + 1);
  let p2 = window_at(m + 2);
  let p3 = window_at(m + 3);
  var y00 = mat4x4f();
#if ${WIDE}
  let p4 = window_at(m + 4);
  let p5 = window_at(m + 5);
  let p6 = window_at(m + 6);
  let p7 = window_at(m + 7);
  var y01 = mat4x4f();
  var y10 = mat4x4f();
  var y11 = mat4x4f();
#endif
  for (var k = 0u; k < KERNEL_HEIGHT * KERNEL_WIDTH * CHANNELS; k += 4) {
    let x0 = mat4x4f(line_x(p0, k), line_x(p1, k), line_x(p2, k), line_x(p3, k));
    let w0 = block_w(k, n);
    y00 = add_product(y00, x0, w0);
#if ${WIDE}
    let x1 = mat4x4f(line_x(p4, k), line_x(p5, k), line_x(p6, k), line_x(p7, k));
    let w1 = block_w(k, n + 4);
    y01 = add_product(y01, x0, w1);
    y10 = add_product(y10, x1, w0);
    y11 = add_product(y11, x1, w1);
#endif
  }
  store(m, n, y00);
#if ${WIDE}
  store(m, n + 4, y01);
  store(m + 4, n, y10);
  store(m + 4, n + 4, y11);
#endif
}
