// The words of this step's samples as they are, or numbers from bytes (BYTES): y[b, i] = data[data_order[start + b], i]. Rows beyond the step's count repeat the first one.
${STEP}

override LENGTH: u32;  // words of the whole batch
override WIDTH: u32;   // of one sample
#if ${BYTES}
override FACTOR: f32;  // what a byte counts
#endif

@group(0) @binding(0) var<storage, read> data: array<u32>;  // [samples, WIDTH]
@group(0) @binding(1) var<storage, read> data_order: array<u32>;  // [samples]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;  // [B, WIDTH]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (i >= LENGTH) { return; }
  let row = i / WIDTH;
  let at = data_order[step.start + select(0, row, row < step.count)] * WIDTH + i % WIDTH;
#if ${BYTES}
  y[i] = bitcast<u32>(f32(extractBits(data[at / 4], at % 4 * 8, 8)) * FACTOR);
#else
  y[i] = data[at];
#endif
}
