// The page of the text: a small GPT reads Moby-Dick, and writes on while it learns.

import { adamw, compile, crossEntropy } from "../../src/index.ts";
import { charGpt } from "../models/char-gpt.ts";
import { find, make, write } from "../page/element.ts";
import { FitRun, type Plan } from "../page/fit-run.ts";
import { teach } from "../page/lesson.ts";
import { whole } from "../page/number.ts";
import { loadText } from "../page/text.ts";
import { pieces } from "../text.ts";
import { write as writing } from "../text-sampling.ts";

interface Settings extends Plan {
  readonly batch: number;
  /** Characters that it sees at once. */
  readonly length: number;
  readonly units: number;
  readonly blocks: number;
  readonly lr: number;
  readonly temperature: number;
  /** Characters that it writes each time. */
  readonly written: number;
  readonly seed: number;
}

/** What it goes on with. */
const START = "The whale ";

const page = find("#text", HTMLPreElement);
const note = find("#shown-note", HTMLParagraphElement);
const earlier = find("#earlier", HTMLOListElement);

teach<FitRun & { settings: Settings }, Settings>({
  samples: "Pieces",
  grouped: true,
  software: { steps: 600, batch: 8, length: 32, units: 64, blocks: 2, every: 20, written: 80 },

  async open(settings, told) {
    const { batch, length, units, blocks, lr, seed } = settings;
    const { train, vocabulary } = await loadText();
    const { count: _, ...data } = pieces(train, length);
    const trainer = await compile(charGpt({ vocabulary: vocabulary.length, length, units, blocks }), {
      input: { shape: [length], classes: vocabulary.length },
      batch,
      loss: crossEntropy(),
      optimizer: adamw({ lr, weightDecay: 0.01 }),
      seed,
    });
    return Object.assign(new FitRun(trainer, () => data, settings, told), { settings });
  },

  opened() {
    earlier.replaceChildren();
    write(page, START);
    write(note, "How it goes on, letter by letter.");
  },

  async look({ trainer, settings }) {
    const { vocabulary } = await loadText();
    const { seed, temperature, written } = settings;
    if (page.textContent !== START)
      earlier.prepend(make("li", "", make("small", "", note.textContent ?? ""), make("q", "", page.textContent ?? "")));
    let text = START;
    for await (const letter of writing({ network: trainer.network, vocabulary }, START, { seed, temperature })) {
      text += letter;
      write(page, text);
      if (text.length >= START.length + written) break;
    }
    write(note, `How it goes on after step ${whole(trainer.steps)}.`);
  },
});
