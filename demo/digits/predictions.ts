// A handful of test digits with what the network reads in them.

import type { Trainer } from "../../src/index.ts";
import type { Digits } from "../digits.ts";
import { find, make, write } from "../page/element.ts";
import { chosenDigits } from "../page/mnist.ts";
import { NONE } from "../page/number.ts";
import { draw, picture } from "../page/pictures.ts";

/** Numbers of test images: the first ten, and ten that networks often get wrong. */
const CHOSEN = [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 8, 18, 115, 247, 321, 340, 445, 582, 659, 740];

export class Predictions {
  readonly #list = find("#digits", HTMLUListElement);
  readonly #note = find("#digits-note", HTMLParagraphElement);
  readonly #noteAtFirst = this.#note.textContent ?? "";
  #digits: Digits | undefined;
  #items: { item: HTMLElement; read: HTMLElement; certainty: HTMLElement }[] = [];

  /** The digits, not read yet. */
  async clear(): Promise<void> {
    this.#digits ??= await chosenDigits(CHOSEN);
    const digits = this.#digits;
    this.#items = CHOSEN.map((_, i) => {
      const canvas = picture(`A handwritten ${digits.y[i]}`);
      draw(canvas, digits.x, i, (byte) => byte / 255);
      const [read, certainty] = [make("b", "", NONE), make("small")];
      return { read, certainty, item: make("li", "", canvas, read, certainty) };
    });
    this.#list.replaceChildren(...this.#items.map(({ item }) => item));
    write(this.#note, this.#noteAtFirst);
  }

  /** Lets the network read them. */
  async read(trainer: Trainer): Promise<void> {
    const digits = this.#digits;
    if (digits === undefined) return;
    const { x, y, ...scale } = digits;
    const { data } = await trainer.predict(x, scale);
    let right = 0;
    for (const [i, { item, read, certainty }] of this.#items.entries()) {
      const { digit, part } = mostLikely(data.subarray(i * 10, (i + 1) * 10));
      const correct = digit === y[i];
      if (correct) right++;
      item.dataset.correct = String(correct);
      write(read, correct ? `${digit}` : `✗ ${digit}`);
      write(certainty, correct ? `${Math.round(part * 100)} %` : `is a ${y[i]}`);
    }
    write(this.#note, `${right} of ${CHOSEN.length} right after step ${trainer.steps}. The second ten are hard ones.`);
  }
}

/** The largest logit, and its part after softmax. */
function mostLikely(logits: ArrayLike<number>): { digit: number; part: number } {
  const values = Array.from(logits);
  const most = Math.max(...values);
  const sum = values.reduce((total, value) => total + Math.exp(value - most), 0);
  return { digit: values.indexOf(most), part: 1 / sum };
}
