// Y[i] = sum over the keys j that query i sees of P[i, j] V[j], with P = softmax(SCALE Q K^T) of each head, key by key: what has been
// summed shrinks when a larger score comes (Milakov and Gimelshein 2018), so that no row of P is kept. A thread for EACH queries of a head;
// neighbours are queries of one head, which read the same keys. A query that sees nothing gives 0.
@group(0) @binding(4) var<storage, read_write> y: array<${V}>;  // [B, QUERIES, HEADS, LANES]
@group(0) @binding(5) var<storage, read_write> rows: array<vec2f>;  // [B, QUERIES, HEADS, 2]: largest score, sum of powers

fn other(at: u32) -> V { return k[at]; }
fn other_value(at: u32) -> V { return v[at]; }

// What a row has found.
struct Found { sum: Head, top: f32, total: f32 }

fn own_of(row: u32) -> Head { return Head(${OWN}); }
fn nothing() -> Found { return Found(Head(), -3.4028234e38, 0); }

// A row that has looked at one more key. One that it does not see adds 0 times 0, since what stands there may be no number.
fn looked(own: Head, was: Found, seen: Head, seen_value: Head, is_seen: bool) -> Found {
  var it = was;
  var product = V();
  ${MULTIPLY}
  let score = whole(product) * SCALE;
  let is_larger = is_seen & (score > was.top);
  it.top = select(was.top, score, is_larger);
  let shrunk = select(1, exp(was.top - score), is_larger);
  let share = select(0, power(score - it.top), is_seen);
  it.total = was.total * shrunk + share;
  ${ADD}
  return it;
}

fn end(row: u32, it: Found) {
  let sees = !(it.total == 0);  // or it is NaN
  ${WRITE}
  rows[row] = select(vec2f(0, 1), vec2f(it.top, it.total), sees);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (thread >= ROWS / EACH) { return; }
  let stand = stand_of(thread, QUERIES, HEADS);
  let row = query_row(stand.sample, stand.first, stand.head);
  ${BEGIN}
  for (var key = 0u; key < end_of_keys(stand.first + (EACH - 1) * NEIGHBOURS); key++) {
    let at = key_row(stand.sample, key, stand.head / (HEADS / KEY_HEADS)) * LANES;
    ${LOOK}
  }
  ${END}
}
