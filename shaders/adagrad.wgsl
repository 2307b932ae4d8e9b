// g = g + weightDecay p;  s = s + g^2;  p = p - step g / (sqrt(s) + EPSILON), where step = lr / (1 + (t - 1) lrDecay).
// PyTorch's torch.optim.Adagrad (Duchi et al. 2011). Row: step, weight decay, unused, active. One dispatch for all layers.
${UPDATE}
override EPSILON: f32;

@group(0) @binding(4) var<storage, read_write> moment1: array<vec4f>;  // [BLOCKS, 64]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = block_of(workgroup, groups);
  if (!is_active(block)) { return; }
  let row = table[rows[block]];
  let at = block * 64 + lane;
  let p = parameters[at];
  let g = fma(vec4f(row.y), p, gradients[at]);
  let s = fma(g, g, moment1[at]);
  moment1[at] = s;
  parameters[at] = fma(vec4f(-row.x), g / (sqrt(s) + EPSILON), p);
}
