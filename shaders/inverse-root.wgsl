// Y = 1 / sqrt(X + EPS), then the epilogue.
${EPILOGUE}
${CHECK}
override LENGTH: u32;
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [LENGTH]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [LENGTH]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= LENGTH) { return; }
  let value = epilogue(1 / sqrt(x[i] + EPS), i, i);
  check_one(value);
  settle();
  y[i] = value;
}
