// The cell of a GRU: gates r, z and n; a unit holds its output. What r lets through of the hidden units is kept as a fourth.
const GATES = 3u;

fn gated(x: vec4f, hidden: vec4f) -> vec4f {
  let r = sigmoid(x.x + hidden.x);
  return vec4f(r, sigmoid(x.y + hidden.y), tanh_exact(fma(r, hidden.z, x.z)), hidden.z);
}

fn state_of(gates: vec4f, last: f32) -> f32 { return fma(gates.y, last, (1 - gates.y) * gates.z); }

fn output_of(gates: vec4f, state: f32) -> f32 { return state; }

fn slopes_of(gates: vec4f, last: f32, dh: f32, carried: f32) -> Slopes {
  let dn = dh * (1 - gates.y) * ((1 - gates.z) * (1 + gates.z));
  let dr = dn * gates.w * (gates.x * (1 - gates.x));
  let dz = dh * (last - gates.z) * (gates.y * (1 - gates.y));
  return Slopes(vec4f(dr, dz, dn, dn * gates.x), dh * gates.y);
}
