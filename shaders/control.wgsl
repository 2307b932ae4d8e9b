// The controllers: from the norms of this step to the layer table that the update reads. A layer's scale is the product of what
// its controllers say; a layer that rests gets rows of 0. One thread a layer, one workgroup for all; every sum has a fixed order. A
// controller is a text of control/, under its bit N: rests_N says whether a layer sits this step out, reading_N gives what is
// compared with other layers, factor_N makes of that and of the norms a factor on the rate. A bad gradient in a layer that no
// guard steers halts the step, and then nothing here changes.
${STEP}
${FINITE}
override LAYERS: u32;
#if ${CLIPPED}
override CLIP: f32;
#endif
// Which numbers of a row hold the rate, by rule.
const RATE_FIELDS = array<vec4f, ${RULES}>(${RATE_FIELDS});

@group(0) @binding(0) var<storage, read> layers: array<u32>;  // [LAYERS, 3]: first member, members, controllers; then row numbers
@group(0) @binding(1) var<storage, read> spans: array<vec4u>;  // [rows]: first block, blocks, rule
@group(0) @binding(2) var<storage, read> norms: array<vec4f>;  // [rows, 2]
@group(0) @binding(3) var<storage, read_write> metrics: array<u32>;  // status, slots, and the step of each layer's last alarm
@group(0) @binding(4) var<storage, read_write> state: array<f32>;  // [LAYERS, 16]
@group(0) @binding(5) var<storage, read_write> scales: array<vec2f>;  // [rows]: factors of the gradient and of the rate
@group(0) @binding(6) var<storage, read_write> effective: array<vec4f>;  // [rows]
${TABLE}  // [rows]

var<workgroup> sums: array<vec2f, 64>;
var<workgroup> bad_row: atomic<u32>;

struct Sum { g: f32, p: f32, u: f32, gu: f32, bad: f32, moved: f32, live: bool }

fn layer_sum(layer: u32) -> Sum {
  var sum = Sum();
  for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
    let row = layers[layers[layer * 3] + i];
    let one = norms[row * 2];
    let two = norms[row * 2 + 1];
    if (table[row].w == 0) { continue; }
    sum.live = true;
    sum.g += one.x;
    sum.p += one.y;
    sum.u += one.z;
    sum.gu += one.w;
    sum.bad += two.x;
    sum.moved += two.y;
  }
  return sum;
}

fn has(layer: u32, controller: u32) -> bool { return (layers[layer * 3 + 2] & controller) != 0; }

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var halted = metrics[0] != 0;
  // Most were asked where they were stored; where there is a guard, and with gradients from outside, it is done here.
  for (var layer = lane; layer < LAYERS; layer += 64) {
    if (has(layer, 1)) { continue; }
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      let row = layers[layers[layer * 3] + i];
      if (table[row].w != 0 && norms[row * 2 + 1].x > 0) { atomicMax(&bad_row, row + 1); }
    }
  }
  workgroupBarrier();
  let bad = atomicLoad(&bad_row);
  storageBarrier();
  if (lane == 0 && bad != 0 && !halted) {
    metrics[0] = step.step;
    metrics[1] = bad;
  }
  halted = halted || bad != 0;
  var own = vec2f();
  for (var layer = lane; layer < LAYERS; layer += 64) {
    let sum = layer_sum(layer);
    var live = sum.live && !halted;
    ${RESTS}
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      let row = layers[layers[layer * 3] + i];
      effective[row] = select(vec4f(), table[row], live);
      if (sum.live && !live && !halted) { scales[row] = vec2f(1, 0); }
    }
    if (!live) { continue; }
    own.x += sum.g;
    ${READINGS}
  }
  sums[lane] = own;
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) {
      let other = sums[lane + width];
      sums[lane] = vec2f(sums[lane].x + other.x, max(sums[lane].y, other.y));
    }
  }
  workgroupBarrier();
  let all = sums[0];
  for (var layer = lane; layer < LAYERS; layer += 64) {
    let sum = layer_sum(layer);
    var live = false;
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      live = live || effective[layers[layers[layer * 3] + i]].w != 0;
    }
    if (!live) { continue; }
    var scale = 1.0;
    ${FACTORS}
    var clip = 1.0;
#if ${CLIPPED}
#if ${BY_LAYER}
    clip = min(1, CLIP / (sqrt(sum.g) + 1e-6));
#else
    clip = min(1, CLIP / (sqrt(all.x) + 1e-6));
#endif
#endif
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      let row = layers[layers[layer * 3] + i];
      effective[row] *= mix(vec4f(1), vec4f(scale), RATE_FIELDS[spans[row].z]);
      scales[row] = vec2f(clip, scale);
    }
  }
}
