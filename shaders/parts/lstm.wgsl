// The cell of an LSTM: gates i, f, g and o; beside its output a unit holds c.
const GATES = 4u;

fn gated(x: Gates, hidden: Gates) -> Gates {
  return Gates(
    sigmoid(x.p + hidden.p), sigmoid(x.q + hidden.q), tanh_exact(x.r + hidden.r), sigmoid(x.s + hidden.s));
}

fn state_of(gates: Gates, last: V) -> V { return fma(gates.q, last, gates.p * gates.r); }

fn output_of(gates: Gates, state: V) -> V { return gates.s * tanh_exact(state); }

fn slopes_of(gates: Gates, last: V, dh: V, carried: V) -> Slopes {
  let level = tanh_exact(state_of(gates, last));
  let dc = carried + dh * gates.s * ((1 - level) * (1 + level));
  let di = dc * gates.r * (gates.p * (1 - gates.p));
  let df = dc * last * (gates.q * (1 - gates.q));
  let dg = dc * gates.p * ((1 - gates.r) * (1 + gates.r));
  return Slopes(Gates(di, df, dg, dh * level * (gates.s * (1 - gates.s))), dc * gates.q);
}
