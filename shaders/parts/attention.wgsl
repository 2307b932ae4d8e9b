// What the kernels of attention share: heads lie beside each other in the last axis and are read in fours where they can be (VECTOR).
// KEY_HEADS divides HEADS: neighbouring heads of queries share a head of keys. A query sees the keys that the mask leaves and, where
// attention is causal, those up to its own place. A thread has EACH rows, which look at the same together. What is said of each lane of a
// head and of each row is written by attention.ts, so that they stay in registers: behind a variable index they would be in memory.
alias V = ${V};
const LANES = ${LANES}u;  // of a head
alias Head = array<V, LANES>;
const EACH = ${EACH}u;

override ROWS: u32;  // that are written
override QUERIES: u32;
override KEYS: u32;
override HEADS: u32;
override KEY_HEADS: u32;
override SCALE: f32;
override CAUSAL: bool;

@group(0) @binding(0) var<storage, read> q: array<${V}>;  // [B, QUERIES, HEADS, LANES]
@group(0) @binding(1) var<storage, read> k: array<${V}>;  // [B, KEYS, KEY_HEADS, LANES]
@group(0) @binding(2) var<storage, read> v: array<${V}>;  // [B, KEYS, KEY_HEADS, LANES]
#if ${MASKED}
@group(0) @binding(3) var<storage, read> mask: array<f32>;  // [B, KEYS]: 0 where a key is hidden

fn is_hidden(sample: u32, key: u32) -> bool { return mask[sample * KEYS + key] == 0; }
#else
fn is_hidden(sample: u32, key: u32) -> bool { return false; }
#endif

// Neighbours that read together, 4 or 1, begin and end where the first or last of them does. Each leaves out what it does not see.
const NEIGHBOURS = ${NEIGHBOURS}u;

fn is_unseen(sample: u32, query: u32, key: u32) -> bool { return is_hidden(sample, key) || (CAUSAL && key > query); }
fn end_of_keys(query: u32) -> u32 { return select(KEYS, min(KEYS, (query / NEIGHBOURS + 1) * NEIGHBOURS), CAUSAL); }
fn first_query(key: u32) -> u32 { return select(0, key / NEIGHBOURS * NEIGHBOURS, CAUSAL); }

// Where a thread's rows stand, of so many places and heads: the first of them, those of neighbours beside it, its next one behind these.
struct Stand { first: u32, head: u32, sample: u32 }

fn stand_of(thread: u32, places: u32, heads: u32) -> Stand {
  let each = places / EACH;
  let first = thread % each / NEIGHBOURS * (EACH * NEIGHBOURS) + thread % NEIGHBOURS;
  return Stand(first, thread / each % heads, thread / (each * heads));
}

fn query_row(sample: u32, query: u32, head: u32) -> u32 { return (sample * QUERIES + query) * HEADS + head; }
fn key_row(sample: u32, key: u32, head: u32) -> u32 { return (sample * KEYS + key) * KEY_HEADS + head; }

// One order of terms on the way forward and back, so that a score has the same bits in both.
fn whole(x: V) -> f32 {
#if ${VECTOR}
  return (x.x + x.y) + (x.z + x.w);
#else
  return x;
#endif
}

// exp may lose NaN.
fn power(x: f32) -> f32 {
  return select(exp(x), x, (bitcast<u32>(x) & 0x7fffffff) > 0x7f800000);
}
