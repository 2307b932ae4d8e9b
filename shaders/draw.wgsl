// Y = random numbers: element i of the stream of seed, batch and path. A quad a thread, the block of a stream that it is.
${STEP}
override QUADS: u32;

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<uniform> path: vec4u;  // two words: the hash of the node's path

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quad = id.y * groups.x * 64 + id.x;
  if (quad >= QUADS) { return; }
  y[quad] = ${KIND}(philox(vec2u(step.seed, step.draw), vec4u(path.xy, quad, 0)));
}
