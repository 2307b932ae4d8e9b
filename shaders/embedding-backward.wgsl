// dTable[p, row] = the sum of dY over the tokens in the list of the row, in their order and in blocks: a long sum of equal numbers
// loses digits. A row without tokens gets 0.
${EPILOGUE}
${CHECK}
const NONE = 0xffffffffu;
const LONG = 256u;

override LENGTH: u32;  // V in all rows
override LANES: u32;   // V in a row

@group(0) @binding(0) var<storage, read> dy: array<V>;  // [tokens, C]
@group(0) @binding(1) var<storage, read> next: array<u32>;  // [tokens]
@group(0) @binding(2) var<storage, read> head: array<u32>;  // [parts, rows]
@group(0) @binding(3) var<storage, read_write> dtable: array<V>;  // [parts, rows, C]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (i >= LENGTH) { return; }
  let place = i % LANES;
  var token = head[i / LANES];
  var total = V(0);
  while (token != NONE) {
    var sum = V(0);
    for (var n = 0u; n < LONG; n++) {
      if (token == NONE) { break; }
      sum += dy[token * LANES + place];
      token = next[token];
    }
    total += sum;
  }
  let value = epilogue(total, i * ${WIDTH}, place * ${WIDTH});
  ${ASK}(value);
  settle();
  dtable[i] = value;
}
