// The cell of a GRU whose r stands before the product: gates r, z and n; a unit holds its output. What r lets through of the output is
// kept as a fourth: n is made of that of all units, so it comes in the second run of a step.
const GATES = 3u;

fn opened(x: Gates, hidden: Gates, last: V) -> Gates {
  let r = sigmoid(x.p + hidden.p);
  return Gates(r, sigmoid(x.q + hidden.q), V(), r * last);
}

fn gated(x: Gates, hidden: Gates, open: Gates) -> Gates {
  return Gates(open.p, open.q, tanh_exact(x.r + hidden.r), open.s);
}

fn state_of(gates: Gates, last: V) -> V { return fma(gates.q, last, (1 - gates.q) * gates.r); }

fn output_of(gates: Gates, state: V) -> V { return state; }

// Of r as if nothing came: what comes for it is known when all n have theirs.
fn slopes_of(gates: Gates, last: V, dh: V, carried: V) -> Slopes {
  let dn = dh * (1 - gates.q) * ((1 - gates.r) * (1 + gates.r));
  let dz = dh * (last - gates.r) * (gates.q * (1 - gates.q));
  return Slopes(Gates(V(), dz, dn, dn), dh * gates.q);
}

fn opened_slope(gates: Gates, last: V, through: V) -> V { return through * last * (gates.p * (1 - gates.p)); }

fn opened_carried(gates: Gates, through: V, carried: V) -> V { return fma(through, gates.p, carried); }
