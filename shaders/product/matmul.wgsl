// C = A B for matrices. Assumes nothing of M, N and K: where a row is no multiple of 4 long, it is loaded by single elements.
override LINE_A: u32;  // length of a stored row

alias Walk = u32;
alias Taps = Walk;

fn line_at(row: u32) -> Walk { return row; }
fn tap_at(_m: u32, column: u32) -> Walk { return column; }
fn walk_next(k: Walk) -> Walk { return k + 1; }
fn taps_of(k: Walk) -> Taps { return k; }
fn walk_on(k: Walk) -> Walk { return k + STEP; }
fn is_term(k: Walk) -> bool { return k < K; }

// Where a stored row begins, and its number.
alias Spot = vec2u;

fn spot_at(origin: u32, row: u32) -> Spot { return vec2u(origin + row * LINE_A, row); }

// Four neighbours in a stored row of A; beyond M anything, since it is not stored.
fn line_a(row: Spot, column: Taps) -> vec4f {
  let at = row.x + column;
#if ${VECTOR_A}
  let line = a[at / 4];
#else
  let place = vec4u(column, column + 1, column + 2, column + 3);
  let line = select(vec4f(), vec4f(a[at], a[at + 1], a[at + 2], a[at + 3]), place < vec4u(LINE_A));
#endif
#if ${TRANSPOSE_A}
  return select(line, vec4f(), (K % 4 != 0) & (row.y >= K));
#else
  return line;
#endif
}

fn place_b(origin: u32, k: Walk, n: u32) -> u32 { return origin + n * K + k; }
