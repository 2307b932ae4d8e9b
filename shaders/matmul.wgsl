// C[m, n] = sum over k of A[m, k] B[k, n], then the epilogue.
// Each thread computes an 8 x 8 (WIDE) or 4 x 4 tile in registers; x counts tiles along n, y along m, z parts of the sum.
// Assumes nothing of M, N and K: where a row is no multiple of 4 long, it is loaded by single elements.
${TILE}
${EPILOGUE}
${CHECK}
const WORKGROUP_X = ${WORKGROUP_X}u;
const WORKGROUP_Y = ${WORKGROUP_Y}u;
const WORKGROUP_Z = ${WORKGROUP_Z}u;

override M: u32;
override N: u32;
override K: u32;
override SPLITS: u32;

#if ${VECTOR_A}
@group(0) @binding(0) var<storage, read> a: array<vec4f>;  // [M, K], or [K, M] when transposed
#else
@group(0) @binding(0) var<storage, read> a: array<f32>;
#endif
#if ${VECTOR_B}
@group(0) @binding(1) var<storage, read> b: array<vec4f>;  // [K, N], or [N, K] when transposed
#else
@group(0) @binding(1) var<storage, read> b: array<f32>;
#endif
#if ${VECTOR_C}
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;  // [M, N], or [SPLITS, M, N]
#else
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
#endif
#if ${COLUMN_SUM}
@group(0) @binding(3) var<storage, read_write> sum: array<f32>;  // [N], or [SPLITS, N]: sum over k of B[k, n]
#endif

// Rows m .. m+3 of A, each at k .. k+3. Beyond K there are zeros; beyond M anything, since it is not stored.
fn block_a(m: u32, k: u32) -> mat4x4f {
#if ${TRANSPOSE_A}
  return transpose(mat4x4f(line_a(k, m), line_a(k + 1, m), line_a(k + 2, m), line_a(k + 3, m)));
#else
  return mat4x4f(line_a(m, k), line_a(m + 1, k), line_a(m + 2, k), line_a(m + 3, k));
#endif
}

// Rows k .. k+3 of B, each at n .. n+3.
fn block_b(k: u32, n: u32) -> mat4x4f {
#if ${TRANSPOSE_B}
  return transpose(mat4x4f(line_b(n, k), line_b(n + 1, k), line_b(n + 2, k), line_b(n + 3, k)));
#else
  return mat4x4f(line_b(k, n), line_b(k + 1, n), line_b(k + 2, n), line_b(k + 3, n));
#endif
}

// Four neighbours in a stored row of A.
fn line_a(row: u32, column: u32) -> vec4f {
#if ${TRANSPOSE_A}
  if (K % 4 != 0 && row >= K) { return vec4f(); }
  let width = M;
#else
  let width = K;
#endif
#if ${VECTOR_A}
  return a[(row * width + column) / 4];
#else
  let at = row * width + column;
  let end = vec4u(column, column + 1, column + 2, column + 3);
  return select(vec4f(), vec4f(a[at], a[at + 1], a[at + 2], a[at + 3]), end < vec4u(width));
#endif
}

// Four neighbours in a stored row of B.
fn line_b(row: u32, column: u32) -> vec4f {
#if ${TRANSPOSE_B}
  let width = K;
#else
  if (K % 4 != 0 && row >= K) { return vec4f(); }
  let width = N;
#endif
#if ${VECTOR_B}
  return b[(row * width + column) / 4];
#else
  let at = row * width + column;
  let end = vec4u(column, column + 1, column + 2, column + 3);
  return select(vec4f(), vec4f(b[at], b[at + 1], b[at + 2], b[at + 3]), end < vec4u(width));
#endif
}

fn store(m: u32, n: u32, part: u32, block: mat4x4f) {
  var rows = block;
  if (n >= N) { return; }
  for (var i = 0u; i < 4 && m + i < M; i++) {
    let at = (m + i) * N + n;
    let value = epilogue(rows[i], at, n);
#if ${VECTOR_C}
    check(value);
    c[(part * M * N + at) / 4] = value;
#else
    for (var j = 0u; j < 4 && n + j < N; j++) {
      check_one(value[j]);
      c[part * M * N + at + j] = value[j];
    }
#endif
  }
}

#if ${COLUMN_SUM}
fn store_sum(n: u32, part: u32, value: vec4f) {
  for (var j = 0u; j < 4 && n + j < N; j++) {
    check_sum(value[j]);
    sum[part * N + n + j] = value[j];
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
  if (n >= N || m >= M || part >= SPLITS) { return; }
  let terms = (K + SPLITS * 4 - 1) / (SPLITS * 4) * 4;
  let end = min(K, (part + 1) * terms);

  var c00 = mat4x4f();
#if ${WIDE}
  var c01 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
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
      let a0 = block_a(m, k);
      let b0 = block_b(k, n);
      c00 = add_product(c00, a0, b0);
#if ${COLUMN_SUM}
      part0 += b0[0] + b0[1] + b0[2] + b0[3];
#endif
#if ${WIDE}
      let a1 = block_a(m + 4, k);
      let b1 = block_b(k, n + 4);
      c01 = add_product(c01, a0, b1);
      c10 = add_product(c10, a1, b0);
      c11 = add_product(c11, a1, b1);
#if ${COLUMN_SUM}
      part1 += b1[0] + b1[1] + b1[2] + b1[3];
#endif
#endif
    }
#if ${COLUMN_SUM}
    sum0 += part0;
    sum1 += part1;
#endif
  }

  store(m, n, part, c00);
#if ${WIDE}
  store(m, n + 4, part, c01);
  store(m + 4, n, part, c10);
  store(m + 4, n + 4, part, c11);
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
