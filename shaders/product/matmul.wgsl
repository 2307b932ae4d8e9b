// C = A B for matrices. Assumes nothing of M, N and K: where a row is no multiple of 4 long, it is loaded by single elements.
alias Spot = u32;

fn spot_at(row: u32) -> Spot { return row; }

// Four neighbours in a stored row of A; beyond M anything, since it is not stored.
fn line_a(row: Spot, column: u32) -> vec4f {
#if ${TRANSPOSE_A}
  if (K % 4 != 0 && row >= K) { return vec4f(); }
  let width = M;
#else
  let width = K;
#endif
  let at = row * width + column;
#if ${VECTOR_A}
  return a[at / 4];
#else
  let end = vec4u(column, column + 1, column + 2, column + 3);
  return select(vec4f(), vec4f(a[at], a[at + 1], a[at + 2], a[at + 3]), end < vec4u(width));
#endif
}

fn place_b(k: u32, n: u32) -> u32 { return n * K + k; }
