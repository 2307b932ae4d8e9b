// What a rule calls for its gradient and its step. DECOUPLED: the decay, rate times weight decay, is taken off the weight; it
// is joined to the step before the weight is rounded, since 1 - decay alone would round a small one away.
fn gradient_${N}(at: u32, p: vec4f, row: vec4f) -> vec4f {
#if ${DECOUPLED}
  return loss_gradient(at);
#else
  return fma(vec4f(row.y), p, loss_gradient(at));
#endif
}

fn move_${N}(at: u32, p: vec4f, row: vec4f, change: vec4f) {
#if ${DECOUPLED}
  store(at, p, p - fma(vec4f(row.y), p, change));
#else
  store(at, p, p - change);
#endif
}
