// Y[k] = the row of the table that id k names; then the epilogue.
${EPILOGUE}
override LENGTH: u32;  // V in Y
override LANES: u32;   // V in a row

@group(0) @binding(0) var<storage, read> ids: array<u32>;  // [B, ..]
@group(0) @binding(1) var<storage, read> table: array<V>;  // [rows, C]
@group(0) @binding(2) var<storage, read_write> y: array<V>;  // [B, .., C]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (i >= LENGTH) { return; }
  let place = i % LANES;
  y[i] = epilogue(table[ids[i / LANES] * LANES + place], i * ${WIDTH}, place * ${WIDTH});
}
