// The cell of a GRU: gates r, z and n; a unit holds its output. What r lets through of the hidden units is kept as a fourth.
const GATES = 3u;

fn gated(x: Gates, hidden: Gates) -> Gates {
  let r = sigmoid(x.p + hidden.p);
  return Gates(r, sigmoid(x.q + hidden.q), tanh_exact(fma(r, hidden.r, x.r)), hidden.r);
}

fn state_of(gates: Gates, last: V) -> V { return fma(gates.q, last, (1 - gates.q) * gates.r); }

fn output_of(gates: Gates, state: V) -> V { return state; }

fn slopes_of(gates: Gates, last: V, dh: V, carried: V) -> Slopes {
  let dn = dh * (1 - gates.q) * ((1 - gates.r) * (1 + gates.r));
  let dr = dn * gates.s * (gates.p * (1 - gates.p));
  let dz = dh * (last - gates.r) * (gates.q * (1 - gates.q));
  return Slopes(Gates(dr, dz, dn, dn * gates.p), dh * gates.q);
}
