// A of an implicit matrix product: the lines of a matrix that is never stored, out of images under the taps of their windows. Where
// `place_a` says that a tap is not inside there are zeros.
override CHANNELS: u32;  // of one group
override FILTERS: u32;
override DILATION_HEIGHT: u32;
override DILATION_WIDTH: u32;

// Where the number stands from which taps are counted, and two places within its image.
alias Spot = vec3i;

struct Place { at: u32, inside: bool }

#if ${VECTOR_A}
fn line_a(spot: Spot, j: u32) -> vec4f {
  let place = place_a(spot, j);
  return select(vec4f(), a[select(0, place.at / 4, place.inside)], place.inside);
}
#else
fn element_a(spot: Spot, j: u32) -> f32 {
  let place = place_a(spot, j);
  return select(0, a[select(0, place.at, place.inside)], place.inside);
}

fn line_a(spot: Spot, j: u32) -> vec4f {
  return vec4f(element_a(spot, j), element_a(spot, j + 1), element_a(spot, j + 2), element_a(spot, j + 3));
}
#endif
