// The cell of an LSTM: gates i, f, g and o; beside its output a unit holds c.
const GATES = 4u;

fn gated(x: vec4f, hidden: vec4f) -> vec4f {
  let a = x + hidden;
  return vec4f(sigmoid(a.x), sigmoid(a.y), tanh_exact(a.z), sigmoid(a.w));
}

fn state_of(gates: vec4f, last: f32) -> f32 { return fma(gates.y, last, gates.x * gates.z); }

fn output_of(gates: vec4f, state: f32) -> f32 { return gates.w * tanh_exact(state); }

fn slopes_of(gates: vec4f, last: f32, dh: f32, carried: f32) -> Slopes {
  let level = tanh_exact(state_of(gates, last));
  let dc = carried + dh * gates.w * ((1 - level) * (1 + level));
  let inner = vec4f(dc * gates.z, dc * last, dc * gates.x, dh * level);
  let slopes = vec4f(gates.xy * (1 - gates.xy), (1 - gates.z) * (1 + gates.z), gates.w * (1 - gates.w));
  return Slopes(inner * slopes, dc * gates.y);
}
