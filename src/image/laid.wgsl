// Y: a resized picture as a sample of the data, from its number `start` on: red, green and blue, all four, or one shade of grey (ITU-R 601) a pixel; as
// bytes, or as numbers times FACTOR. Bytes come four in a word, of which the first and the last may be other samples' in part.
// Grid: a thread a number, or four bytes.
override LENGTH: u32;  // numbers of a sample
override CHANNELS: u32;

struct Place {
  first: vec2u,
  part: vec2u,
  wide: vec2f,
  stride: u32,
  start: u32,
  background: vec3f,
}

@group(0) @binding(0) var<uniform> place: Place;
@group(0) @binding(1) var<storage, read> resized: array<vec4f>;      // [pixels]
@group(0) @binding(2) var<storage, read_write> x: array<${WORD}>;  // [samples, pixels, CHANNELS]

fn number(i: u32) -> f32 {
  let rgba = resized[min(i, LENGTH - 1) / CHANNELS];
#if ${GREY}
  return dot(rgba.rgb, vec3f(0.299, 0.587, 0.114));
#else
  return rgba[i % CHANNELS];
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
#if ${BYTES}
  let word = place.start / 4 + i;
  if (word * 4 >= place.start + LENGTH) { return; }
  var four = x[word];
  for (var k = 0u; k < 4; k++) {
    let at = word * 4 + k;
    if (at >= place.start && at < place.start + LENGTH) {
      let byte = u32(clamp(floor(number(at - place.start) + 0.5), 0, 255));
      four = (four & ~(255u << (8 * k))) | (byte << (8 * k));
    }
  }
  x[word] = four;
#else
  if (i >= LENGTH) { return; }
  x[place.start + i] = number(i) * ${FACTOR};
#endif
}
