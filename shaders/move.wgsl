// Y = numbers of X, or of several inputs, each of which says by an index map where its numbers go; where none has one, FILL. What
// is not REAL gets 0, and a mean is shared out (SHARE). Four numbers a thread, in the order in which they are stored, read as a
// vec4f where four are neighbours everywhere (FOURS).
${STEP}
${EPILOGUE}
${CHECK}
override QUADS: u32;
override COLUMNS: u32;  // length of the last axis of Y
override LENGTH: u32;   // numbers in Y

${INPUTS}
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quad = id.y * groups.x * 64 + id.x;
  if (quad >= QUADS) { return; }
  let at = vec4u(0, 1, 2, 3) + quad * 4;
#if ${FOURS}
  let given = taken(at.x);
#else
  let given = vec4f(taken(at.x), taken(at.y), taken(at.z), taken(at.w));
#endif
  let value = epilogue(select(vec4f(), ${SHARE}, at < vec4u(${REAL})), at.x, at.x % COLUMNS);
  // What stands behind the last number may be anything.
  check(select(vec4f(), value, at < vec4u(LENGTH)));
  settle();
  y[quad] = value;
}
