// Y = (X - mean) / sqrt(variance + EPS) gamma + beta of each group by itself, then the epilogue.
${EPILOGUE}
${CHECK}

#if ${SCALED}
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
#endif
#if ${SHIFTED}
@group(0) @binding(2) var<storage, read> beta: array<f32>;
#endif
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = group_of(workgroup.y * groups.x + workgroup.x, lane);
  if (i >= GROUPS) { return; }
  let first = first_of(i);
  let by = measured(lane, first);
  for (var k = lane % THREADS; k < COUNT; k += THREADS) {
    let at = first + term_at(k);
    let channel = channel_of(i, k);
    var value = (x[at] - by.x) * by.y;
#if ${SCALED}
    value *= gamma[channel];
#endif
#if ${SHIFTED}
    value += beta[channel];
#endif
    let result = epilogue(value, at, channel);
    check_one(result);
    y[at] = result;
  }
  settle();
}
