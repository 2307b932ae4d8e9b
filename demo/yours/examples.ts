// The examples of each class: cards with a name, the pictures, and the ways to give more. Pictures stay pictures, and become numbers on the GPU,
// so that another network may have them too.

import { fromAddress, toAddress } from "../page/address.ts";
import { find, make, write } from "../page/element.ts";
import { showError } from "../page/notices.ts";
import { squareOf } from "./pixels.ts";

interface Card {
  readonly item: HTMLElement;
  readonly name: HTMLInputElement;
  readonly count: HTMLElement;
  readonly list: HTMLElement;
  pictures: HTMLCanvasElement[];
}

/** What a class is called until somebody says so. */
const nameAt = (i: number): string => `class ${i + 1}`;

/** Pictures with the class of each. */
export interface Pictures {
  readonly x: readonly HTMLCanvasElement[];
  readonly y: Uint8Array<ArrayBuffer>;
}

export interface Samples {
  readonly learnt: Pictures;
  readonly others: Pictures;
}

export class Examples {
  readonly #list = find("#classes", HTMLUListElement);
  readonly #take: () => HTMLCanvasElement | undefined;
  readonly #changed: () => void;
  #cards: Card[] = [];
  /** Pictures to judge by, of examples that were there already. */
  #others: { readonly pictures: readonly HTMLCanvasElement[]; readonly y: ArrayLike<number> } | undefined;

  /** `take` gives what is on the pad or before the camera; `changed` hears of more and fewer pictures. */
  constructor(take: () => HTMLCanvasElement | undefined, changed: () => void) {
    this.#take = take;
    this.#changed = changed;
  }

  /** As many cards as there are classes; those that stay keep what they have. */
  resize(classes: number): void {
    const said = fromAddress("names")?.split(",") ?? [];
    while (this.#cards.length < classes) this.#cards.push(this.#card(this.#cards.length, said[this.#cards.length]));
    this.#cards.length = classes;
    this.#list.replaceChildren(...this.#cards.map(({ item }) => item));
  }

  get names(): string[] {
    return this.#cards.map(({ name }, i) => name.value.trim() || nameAt(i));
  }

  /** Pictures that are there, in the place of those that were. */
  fill(
    names: readonly string[],
    classes: readonly (readonly HTMLCanvasElement[])[],
    others: { readonly pictures: readonly HTMLCanvasElement[]; readonly y: ArrayLike<number> } | undefined,
  ): void {
    for (const [i, card] of this.#cards.entries()) {
      if (names[i] !== undefined) card.name.value = names[i];
      card.pictures = [...(classes[i] ?? [])];
      this.#show(card);
    }
    this.#others = others;
    this.#changed();
  }

  /**
   * The examples: those to learn from, and those to judge by, the last `held` of each class where the examples brought none. Throws where a
   * class has none to learn from, with what to do.
   */
  samples(held: number): Samples {
    const empty = this.#cards.findIndex(({ pictures }) => pictures.length === 0);
    if (empty >= 0)
      throw new Error(
        `"${this.names[empty]}" has no example yet. Draw, drop or take some, or choose fewer classes, or examples that are there.`,
      );
    const isHeld = (card: Card, i: number): boolean =>
      this.#others === undefined && i > 0 && i >= card.pictures.length - held;
    const of = (keep: (card: Card, i: number) => boolean): readonly (readonly [HTMLCanvasElement, number])[] =>
      this.#cards.flatMap((card, label) =>
        card.pictures.filter((_, i) => keep(card, i)).map((picture) => [picture, label] as const),
      );
    const others = this.#others?.pictures.map((picture, i) => [picture, this.#others?.y[i] as number] as const);
    return { learnt: apart(of((card, i) => !isHeld(card, i))), others: apart(others ?? of(isHeld)) };
  }

  #card(i: number, said: string | undefined): Card {
    const name = make("input");
    name.value = said || nameAt(i);
    name.maxLength = 24;
    name.setAttribute("aria-label", `Name of class ${i + 1}`);
    name.addEventListener("change", () =>
      toAddress({ names: this.names.map((one) => one.replaceAll(",", " ")).join() }),
    );
    const add = make("button", "", "Add");
    add.type = "button";
    add.setAttribute("aria-label", `Add to class ${i + 1}`);
    const input = make("input");
    input.type = "file";
    input.accept = "image/*";
    input.multiple = true;
    input.setAttribute("aria-label", `Pictures of class ${i + 1}`);
    const [count, list] = [make("small"), make("div", "examples")];
    const head = make("div", "card-head", name, count);
    const item = make("li", "", head, make("div", "buttons", add, make("label", "file", "Pictures", input)), list);
    const card: Card = { item, name, count, list, pictures: [] };
    const put = (pictures: readonly HTMLCanvasElement[]): void => {
      card.pictures.push(...pictures);
      this.#show(card);
      this.#changed();
    };
    add.addEventListener("click", () => {
      const picture = this.#take();
      if (picture !== undefined) put([picture]);
    });
    const read = async (files: Iterable<File>): Promise<void> => {
      try {
        put(await Promise.all([...files].map(pictureOf)));
      } catch (error) {
        showError(error);
      }
    };
    input.addEventListener("change", async () => {
      await read(input.files ?? []);
      input.value = ""; // the same file may come again
    });
    item.addEventListener("dragover", (event) => event.preventDefault());
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      void read(event.dataTransfer?.files ?? []);
    });
    this.#show(card);
    return card;
  }

  #show(card: Card): void {
    const { pictures, list, count } = card;
    write(count, `${pictures.length} ${pictures.length === 1 ? "example" : "examples"}`);
    list.replaceChildren(
      ...pictures.map((picture, i) => {
        const drop = make("button", "example", picture);
        drop.type = "button";
        drop.setAttribute("aria-label", `Remove example ${i + 1}`);
        drop.addEventListener("click", () => {
          card.pictures = pictures.filter((one) => one !== picture);
          this.#show(card);
          this.#changed();
        });
        return drop;
      }),
    );
  }
}

async function pictureOf(file: File): Promise<HTMLCanvasElement> {
  const bitmap = await createImageBitmap(file).catch((cause) => {
    throw new Error(`"${file.name}" is no picture that this browser knows. Give PNG, JPEG or WebP.`, { cause });
  });
  try {
    return squareOf(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

const apart = (all: readonly (readonly [HTMLCanvasElement, number])[]): Pictures => ({
  x: all.map(([picture]) => picture),
  y: Uint8Array.from(all, ([, label]) => label),
});
