// The root of a mean or sum of squares with EPSILON beside it, or under it as in TensorFlow.

fn root_${N}(s: vec4f) -> vec4f {
#if ${EPS_INSIDE}
  return sqrt(s + ${EPSILON});
#else
  return sqrt(s) + ${EPSILON};
#endif
}
