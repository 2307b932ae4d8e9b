// Arenas at equal offsets, the layer table, and the word that ties a block of 256 numbers to its row. A workgroup is one
// block and belongs to one tensor, hence to one row and one rule: no divergence.
const BLOCKS = ${BLOCKS}u;
// Lengths are known when the shader is compiled: an index check that looks one up costs a third of the time on a CPU.
alias Arena = array<vec4f, BLOCKS * 64>;  // [BLOCKS, 64]
#if ${CLAMPED}
override CLAMP: f32;
#endif

@group(0) @binding(0) var<storage, read> blocks: array<u32, BLOCKS>;  // [BLOCKS]: row, rule (4 bits), numbers - 1 (8 bits)
@group(0) @binding(1) var<storage, read> gradients: Arena;
@group(0) @binding(2) var<storage, read_write> parameters: Arena;
#if ${MOMENT1}
@group(0) @binding(3) var<storage, read_write> moment1: Arena;
#endif
#if ${MOMENT2}
@group(0) @binding(4) var<storage, read_write> moment2: Arena;
#endif
#if ${MOMENT3}
@group(0) @binding(5) var<storage, read_write> moment3: Arena;
#endif
#if ${SCALED}
@group(0) @binding(6) var<storage, read> scales: array<vec2f>;  // [rows]: factors of the gradient and of the rate

var<private> factor: f32;
#endif
${TABLE}  // [rows]

fn row_of(word: u32) -> u32 { return word >> 12; }
fn rule_of(word: u32) -> u32 { return (word >> 8) & 15; }
fn numbers_of(word: u32) -> u32 { return (word & 255) + 1; }

// The gradient, clipped by value and then by norm: the norm is that of clipped values.
fn loss_gradient(at: u32) -> vec4f {
  var g = gradients[at];
#if ${CLAMPED}
  g = clamp(g, vec4f(-CLAMP), vec4f(CLAMP));
#endif
#if ${SCALED}
  g *= factor;
#endif
  return g;
}

// Sums of what 64 lanes hold, in a fixed order; the result is for lane 0. Once in a shader, for barriers are what it costs.
var<workgroup> sums: array<mat2x4f, 64>;

fn sum_of(lane: u32, value: mat2x4f) -> mat2x4f {
  sums[lane] = value;
  workgroupBarrier();
  if (lane < 8) {
    var sum = sums[lane];
    for (var i = lane + 8; i < 64; i += 8) { sum += sums[i]; }
    sums[lane] = sum;
  }
  workgroupBarrier();
  var sum = sums[0];
  for (var i = 1; i < 8; i++) { sum += sums[i]; }
  return sum;
}

// Four numbers of a block, 0 where they lie behind the last one of the tensor.
fn block_part(word: u32, lane: u32, value: vec4f) -> vec4f {
  return select(vec4f(), value, vec4u(0, 1, 2, 3) + lane * 4 < vec4u(numbers_of(word)));
}
