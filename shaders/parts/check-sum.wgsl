// The same for a sum that a kernel leaves beside its result.
@group(0) @binding(9) var<uniform> sum_row: vec4u;

fn check_sum(value: f32) { report(sum_row.x, vec4u(bitcast<u32>(value) & 0x7fffffff)); }
