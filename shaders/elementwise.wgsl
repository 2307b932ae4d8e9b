// Y = epilogue(X), number by number; four numbers a thread, in the order in which they are stored. Where each operand is repeated
// there is no X (IN_HAND).
${EPILOGUE}
${CHECK}

override QUADS: u32;    // vec4f in X, the last one perhaps not full
override COLUMNS: u32;  // length of the last axis
override LENGTH: u32;   // numbers in X

#if ${IN_HAND}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [..., COLUMNS]
#endif
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;  // [..., COLUMNS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quad = id.y * groups.x * 64 + id.x;
  if (quad >= QUADS) { return; }
#if ${IN_HAND}
  let given = x[quad];
#else
  let given = vec4f();
#endif
  let value = epilogue(given, quad * 4, quad * 4 % COLUMNS);
  // What stands behind the last number may be anything.
  check(select(vec4f(), value, vec4u(0, 1, 2, 3) + quad * 4 < vec4u(LENGTH)));
  settle();
  y[quad] = value;
}
