// The pad to draw on. Strokes are kept as lines: a drawing is scaled to fill the picture, as those that the network learnt from were,
// and drawn anew at the width that they had.

import { find, make } from "../page/element.ts";

type Stroke = readonly (readonly [x: number, y: number])[];

/** Sides of a drawing that is given away, of its rim, and the width of its lines, as parts of 28 pixels. */
const [SIDE, RIM, WIDTH] = [112, 2 / 28, 1.8 / 28];

export class Pad {
  readonly #canvas = find("#pad", HTMLCanvasElement);
  #strokes: [number, number][][] = [];

  /** `drawn` hears of every stroke that has ended. */
  constructor(drawn: () => void) {
    const canvas = this.#canvas;
    const place = (event: PointerEvent): [number, number] => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      return [(event.clientX - left) / width, (event.clientY - top) / height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#strokes.push([place(event)]);
      this.#show();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      this.#strokes.at(-1)?.push(place(event));
      this.#show();
    });
    canvas.addEventListener("pointerup", drawn);
    this.#show();
  }

  get isEmpty(): boolean {
    return this.#strokes.length === 0;
  }

  clear(): void {
    this.#strokes = [];
    this.#show();
  }

  /** The drawing, dark on white, filling the picture but for a rim. */
  picture(): HTMLCanvasElement {
    const points = this.#strokes.flat();
    const span = (axis: 0 | 1): [number, number] => {
      const values = points.map((point) => point[axis]);
      return [Math.min(...values), Math.max(...values)];
    };
    const [[left, right], [top, bottom]] = [span(0), span(1)];
    const scale = (1 - 2 * RIM) / Math.max(right - left, bottom - top, 0.05);
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const canvas = make("canvas");
    canvas.width = canvas.height = SIDE;
    draw(
      canvas,
      this.#strokes.map((stroke) =>
        stroke.map(([px, py]) => [0.5 + scale * (px - x), 0.5 + scale * (py - y)] as const),
      ),
      WIDTH,
    );
    return canvas;
  }

  #show(): void {
    draw(this.#canvas, this.#strokes, 0.03);
  }
}

/** Draws strokes on white; places and width are parts of the side. */
function draw(canvas: HTMLCanvasElement, strokes: readonly Stroke[], width: number): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const side = canvas.width;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = width * side;
  for (const [first, ...more] of strokes) {
    if (first === undefined) continue;
    context.beginPath();
    context.moveTo(first[0] * side, first[1] * side);
    for (const [x, y] of more.length > 0 ? more : [first]) context.lineTo(x * side, y * side);
    context.stroke();
  }
}
