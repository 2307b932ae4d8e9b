// The tokens of each row as a list: head[p, row] is the first of part p that names it, next[k] the one after token k; NONE ends a
// list. THREADS threads share a part: each looks at all of its tokens, from the last to the first, and keeps the lists of its own
// rows, so that nobody else writes there. Tokens beyond a short batch are in no list.
${STEP}
const NONE = 0xffffffffu;

override THREADS: u32;
override TOKENS: u32;
override HEIGHT: u32;  // tokens of a part
override WIDTH: u32;   // tokens of a sample
override ROWS: u32;
override SPLITS: u32;

@group(0) @binding(0) var<storage, read> ids: array<u32>;  // [TOKENS]
@group(0) @binding(1) var<storage, read_write> next: array<u32>;  // [TOKENS]
@group(0) @binding(2) var<storage, read_write> head: array<u32>;  // [SPLITS, ROWS]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  let part = i / THREADS;
  if (part >= SPLITS) { return; }
  let thread = i % THREADS;
  for (var row = thread; row < ROWS; row += THREADS) { head[part * ROWS + row] = NONE; }
  let real = step.count * WIDTH;
  let begin = part * HEIGHT;
  for (var k = min(TOKENS, begin + HEIGHT); k > begin; k--) {
    let at = k - 1;
    let row = ids[at];
    if (row % THREADS != thread) { continue; }
    if (at >= real) { next[at] = NONE; continue; }
    next[at] = head[part * ROWS + row];
    head[part * ROWS + row] = at;
  }
}
