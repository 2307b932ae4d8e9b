// P = the hidden units one step before: a sequence moved by one step, behind what it began with, or zeros.
override LENGTH: u32;
override STEPS: u32;
override UNITS: u32;
override REVERSE: u32;

@group(0) @binding(0) var<storage, read> y: array<f32>;  // [B, T, H]
@group(0) @binding(1) var<storage, read_write> p: array<f32>;  // [B, T, H]
#if ${START}
@group(0) @binding(2) var<storage, read> h0: array<f32>;  // [B, H]
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= LENGTH) { return; }
  let row = i / UNITS;
  let first = select(0, STEPS - 1, REVERSE == 1);
  if (row % STEPS != first) {
    p[i] = y[select(i - UNITS, i + UNITS, REVERSE == 1)];
    return;
  }
#if ${START}
  p[i] = h0[row / STEPS * UNITS + i % UNITS];
#else
  p[i] = 0;
#endif
}
