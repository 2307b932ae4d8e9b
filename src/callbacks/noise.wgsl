// What the noise of an update is made of, block by block, as its micro-batches come: the weighted sum of squared distances from their
// mean, as Welford adds it up, so that nothing cancels; the squared length of the mean; samples; batches. SERIAL: a thread a block,
// since a CPU pays dearly for barriers. Grid: a workgroup a block.
${STEP}
override BLOCKS: u32;

@group(0) @binding(0) var<storage, read> blocks: array<u32>;  // [BLOCKS]: the last 8 bits are numbers - 1
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(2) var<storage, read> accumulated: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(3) var<storage, read_write> noise: array<vec4f>;  // [BLOCKS]

// Squared distance of four numbers from their mean, and its squared length; `share` is the part of the samples that it is of.
fn part_of(block: u32, lane: u32, share: f32) -> vec2f {
  let real = vec4u(0, 1, 2, 3) + lane * 4 <= vec4u(blocks[block] & 255);
  let mean = select(vec4f(), accumulated[block * 64 + lane] / share, real);
  let apart = select(vec4f(), gradients[block * 64 + lane], real) - mean;
  return vec2f(dot(apart, apart), dot(mean, mean));
}

#if ${SERIAL}
const THREADS = 1;
#else
const THREADS = 64;
var<workgroup> sums: array<vec2f, 64>;
#endif

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * groups.x + workgroup.x;
  if (block >= BLOCKS) { return; }
  let before = select(noise[block], vec4f(), step.first == 1);
  let samples = before.z + f32(step.count);
  let share = step.weight * samples / f32(step.count);
#if ${SERIAL}
  var sum = vec2f();
  for (var i = 0u; i < 64; i++) { sum += part_of(block, i, share); }
#else
  sums[lane] = part_of(block, lane, share);
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  if (lane != 0) { return; }
  let sum = sums[0];
#endif
  // The first one is its own mean, but for a rounding.
  let more = select(step.weight * samples / max(before.z, 1) * sum.x, 0, before.w == 0);
  noise[block] = vec4f(before.x + more, sum.y, samples, before.w + 1);
}
