// Numbers of a tensor that lie in another order than the one in which they are wanted: shapes, strides, and the walk over both.

/** How many numbers a shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Strides of a tensor whose numbers lie in order without gaps. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let far = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = far;
    far *= Math.max(1, shape[axis] as number);
  }
  return strides;
}

/** Tells of each number of a shape, row-major, its place in order and where it lies: `first` and, for each axis, its place times the stride. */
export function walk(
  shape: readonly number[],
  strides: readonly number[],
  first: number,
  visit: (place: number, from: number) => void,
): void {
  const count = sizeOf(shape);
  const at = new Array<number>(shape.length).fill(0);
  let from = first;
  for (let place = 0; place < count; place++) {
    visit(place, from);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      at[axis] = (at[axis] as number) + 1;
      if ((at[axis] as number) < (shape[axis] as number)) break;
      from -= (strides[axis] as number) * (shape[axis] as number);
      at[axis] = 0;
    }
  }
}
