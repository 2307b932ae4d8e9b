// Trust ratios of tensors, from their norms (LARS: You et al. 2017; LAMB: You et al. 2020): R = coefficient |p| / (|u| + decay
// |p| + eps), 1 where a norm is 0. LARS: u is the gradient, and R scales it; LAMB: u is the step, taken with the host's rate and
// brought to rate 1, and R scales the rate. Grid: a thread a row.
override ROWS: u32;

// By rule: coefficient, eps, 1 where the decay belongs to the norm, 1 for LARS and 2 for LAMB.
const TRUST = array<vec4f, ${RULES}>(${TRUST});

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;  // [ROWS]: first block, blocks, rule
@group(0) @binding(1) var<storage, read> norms: array<vec4f>;  // [ROWS, 2]
@group(0) @binding(2) var<storage, read_write> effective: array<vec4f>;  // [ROWS]
${TABLE}  // [ROWS]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (row >= ROWS) { return; }
  let rule = TRUST[spans[row].z];
  if (rule.w == 0) { return; }
  let own = effective[row];
  let weight = sqrt(norms[row * 2].y);
  let isLars = rule.w == 1;
  let step = select(sqrt(norms[row * 2].z) / table[row].x, sqrt(norms[row * 2].x), isLars);
  var ratio = 1.0;
  if (weight > 0 && step > 0) { ratio = rule.x * weight / (step + rule.z * own.y * weight + rule.y); }
  effective[row] = own * select(vec4f(ratio, ratio, ratio, 1), vec4f(1, 1, ratio, 1), isLars);
}
