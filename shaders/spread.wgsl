// Y = X, or its share where X is a mean, repeated along axes that X has not: the way back of a sum. What is not REAL gets 0. Four
// numbers a thread, in the order in which they are stored.
${STEP}
${EPILOGUE}
${CHECK}
override QUADS: u32;
override COLUMNS: u32;  // length of the last axis of Y
override LENGTH: u32;   // numbers in Y

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

fn number(at: u32) -> f32 { return x[${PLACE}]; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quad = id.y * groups.x * 64 + id.x;
  if (quad >= QUADS) { return; }
  let at = vec4u(0, 1, 2, 3) + quad * 4;
  let given = vec4f(number(at.x), number(at.y), number(at.z), number(at.w));
  let value = epilogue(select(vec4f(), ${SHARE}, at < vec4u(${REAL})), at.x, at.x % COLUMNS);
  // What stands behind the last number may be anything.
  check(select(vec4f(), value, at < vec4u(LENGTH)));
  settle();
  y[quad] = value;
}
