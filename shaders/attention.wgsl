// Y[i] = sum over the keys j that query i sees of P[i, j] V[j], with P = softmax(SCALE Q K^T) of each head, key by key: what has been
// summed shrinks when a larger score comes (Milakov and Gimelshein 2018), so that no row of P is kept. A thread for a query of a head;
// neighbours are queries of one head, which read the same keys. A query that sees nothing gives 0.
@group(0) @binding(4) var<storage, read_write> y: array<${V}>;  // [B, QUERIES, HEADS, LANES]
@group(0) @binding(5) var<storage, read_write> rows: array<vec2f>;  // [B, QUERIES, HEADS, 2]: largest score, sum of powers

fn other(at: u32) -> V { return k[at]; }
fn other_value(at: u32) -> V { return v[at]; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (thread >= ROWS) { return; }
  let query = thread % QUERIES;
  let head = thread / QUERIES % HEADS;
  let sample = thread / (QUERIES * HEADS);
  let row = query_row(sample, query, head);
  var own: Head;
  ${READ_OWN}

  var sum: Head;
  var top = -3.4028234e38;
  var total = 0.0;
  var sees = false;
  for (var key = 0u; key < end_of_keys(query); key++) {
    let at = key_row(sample, key, head / (HEADS / KEY_HEADS)) * LANES;
    ${SEE}
    if (is_unseen(sample, query, key)) { continue; }
    sees = true;
    var product = V();
    ${MULTIPLY}
    let score = whole(product) * SCALE;
    if (score > top) {
      let shrunk = exp(top - score);
      top = score;
      total *= shrunk;
      ${SHRINK}
    }
    let share = power(score - top);
    total += share;
    ${SEE_VALUES}
    ${ADD}
  }
  ${WRITE}
  rows[row] = select(vec2f(0, 1), vec2f(top, total), sees);
}
