// With dS = P (dO V^T - delta): dQ[i] = SCALE sum over j of dS[i, j] K[j], or (OF_KEYS) dK[j] = SCALE sum over i of dS[i, j] Q[i] and
// dV[j] = sum over i of P[i, j] dO[i], also over the heads of queries that share those of keys. P is made again, score by score. A thread
// for EACH rows of a head that are written, which gathers in a fixed order.
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

fn known_of(row: u32) -> vec3f { return vec3f(known[row * 3], known[row * 3 + 1], known[row * 3 + 2]); }

// What a row has of its own, and what it has found.
struct Own { one: Head, value: Head, by: vec3f }
struct Found { sum: Head, sum_value: Head }

fn own_of(row: u32) -> Own {
#if ${OF_KEYS}
  let by = vec3f();
#else
  let by = known_of(row);
#endif
  return Own(Head(${OWN}), Head(${OWN_VALUE}), by);
}

fn nothing() -> Found { return Found(Head(), Head()); }

// A row that has looked at one more; `by` is known of the query. Where the one does not see the other, it adds 0 times 0, since what stands
// there may be no number.
fn looked(own: Own, was: Found, seen: Head, seen_value: Head, by: vec3f, is_seen: bool) -> Found {
  var it = was;
  var product = V();
  var slope = V();
  ${MULTIPLY}
  let p = select(0, power(whole(product) * SCALE - by.x) * by.y, is_seen);
  let ds = select(0, p * (whole(slope) - by.z), is_seen);
  ${ADD}
  return it;
}

fn end(row: u32, it: Found) {
  ${WRITE}
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (thread >= ROWS / EACH) { return; }
  let share = HEADS / KEY_HEADS;
#if ${OF_KEYS}
  let stand = stand_of(thread, KEYS, KEY_HEADS);
  let row = key_row(stand.sample, stand.first, stand.head);
  ${BEGIN}
  for (var head = stand.head * share; head < (stand.head + 1) * share; head++) {
    for (var query = first_query(stand.first); query < QUERIES; query++) {
      let other_row = query_row(stand.sample, query, head);
      let by = known_of(other_row);
      let at = other_row * LANES;
      ${LOOK}
    }
  }
#else
  let stand = stand_of(thread, QUERIES, HEADS);
  let row = query_row(stand.sample, stand.first, stand.head);
  ${BEGIN}
  for (var key = 0u; key < end_of_keys(stand.first + (EACH - 1) * NEIGHBOURS); key++) {
    let at = key_row(stand.sample, key, stand.head / share) * LANES;
    ${LOOK}
  }
#endif
  ${END}
}
