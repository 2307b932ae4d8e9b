// With dS = P (dO V^T - delta): dQ[i] = SCALE sum over j of dS[i, j] K[j], or (OF_KEYS) dK[j] = SCALE sum over i of dS[i, j] Q[i] and
// dV[j] = sum over i of P[i, j] dO[i], also over the heads of queries that share those of keys. P is made again, score by score. A thread
// for each row of a head that is written, which gathers in a fixed order.
@group(0) @binding(4) var<storage, read> dy: array<${V}>;  // [B, QUERIES, HEADS, LANES]
@group(0) @binding(5) var<storage, read> known: array<f32>;  // [B, QUERIES, HEADS, 3]: largest score, 1 / sum of powers, delta
#if ${OF_KEYS}
@group(0) @binding(6) var<storage, read_write> dk: array<${V}>;  // [B, KEYS, KEY_HEADS, LANES]
@group(0) @binding(7) var<storage, read_write> dv: array<${V}>;  // [B, KEYS, KEY_HEADS, LANES]

fn other(at: u32) -> V { return q[at]; }
fn other_value(at: u32) -> V { return dy[at]; }
#else
@group(0) @binding(6) var<storage, read_write> dq: array<${V}>;  // [B, QUERIES, HEADS, LANES]

fn other(at: u32) -> V { return k[at]; }
fn other_value(at: u32) -> V { return v[at]; }
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (thread >= ROWS) { return; }
  let share = HEADS / KEY_HEADS;
  var own: Head;
  var own_value: Head;
  var sum: Head;
  var sum_value: Head;
#if ${OF_KEYS}
  let key = thread % KEYS;
  let key_head = thread / KEYS % KEY_HEADS;
  let sample = thread / (KEYS * KEY_HEADS);
  let to = key_row(sample, key, key_head) * LANES;
  ${READ_KEYS}
  for (var head = key_head * share; head < (key_head + 1) * share; head++) {
    for (var query = first_query(key); query < QUERIES; query++) {
      let row = query_row(sample, query, head);
      let at = row * LANES;
#else
  let query = thread % QUERIES;
  let head = thread / QUERIES % HEADS;
  let sample = thread / (QUERIES * HEADS);
  let row = query_row(sample, query, head);
  let to = row * LANES;
  ${READ_QUERIES}
  {
    for (var key = 0u; key < end_of_keys(query); key++) {
      let at = key_row(sample, key, head / share) * LANES;
#endif
      ${SEE}
      if (is_unseen(sample, query, key)) { continue; }
      ${SEE_VALUES}
      var product = V();
      var slope = V();
      ${MULTIPLY}
      let p = power(whole(product) * SCALE - known[row * 3]) * known[row * 3 + 1];
      let ds = p * (whole(slope) - known[row * 3 + 2]);
      ${ADD}
#if ${OF_KEYS}
      ${ADD_VALUES}
#endif
    }
  }
#if ${OF_KEYS}
  ${WRITE_KEYS}
#else
  ${WRITE_QUERIES}
#endif
}
