// The page on which a network of others becomes the visitor's own: examples and settings on one side, its layers at the other, what it says
// of the pad while it learns, the ways beside each other, and what is taken home.

import { compile, dense, type Model, meanSquaredError } from "../../src/index.ts";
import type { FromKeras } from "../../src/keras/index.ts";
import { find, make, write } from "../page/element.ts";
import { readFile } from "../page/file.ts";
import { teach } from "../page/lesson.ts";
import { showError } from "../page/notices.ts";
import { percent } from "../page/number.ts";
import { sharedDevice } from "../page/shared-device.ts";
import { Camera } from "./camera.ts";
import { typescript } from "./code.ts";
import { Examples, type Samples } from "./examples.ts";
import { networks, readNetwork, withHead } from "./networks.ts";
import { oddsOf } from "./odds.ts";
import { Pad } from "./pad.ts";
import { type Plan, wayNames, ways } from "./plan.ts";
import { type Ended, runWay, verdict } from "./race.ts";
import { ready, type Source } from "./ready.ts";
import { play, type Recorded } from "./recorded.ts";
import { handOut, inPyTorch, writers } from "./take-away.ts";
import { compileWay } from "./ways.ts";
import { YourRun } from "./your-run.ts";

interface Settings extends Omit<Plan, "size"> {
  readonly examples: Source;
  /** Of a menu, hence a text. */
  readonly side: string;
  readonly steps: number;
  readonly held: number;
  readonly seconds: number;
}

const pad = new Pad(() => void see());
const camera = new Camera();
const seen = find("#seen", HTMLDListElement);
const note = find("#seen-note", HTMLParagraphElement);
const code = find("#code", HTMLPreElement);
const result = find("#race-result", HTMLParagraphElement);
const rows = find("#race tbody", HTMLTableSectionElement);

const files = new Map<string, Promise<FromKeras>>();
let filled = "";
let samples: Samples | undefined;
let settings: Settings;
let run: YourRun | undefined;
let model: Model;

const take = (): HTMLCanvasElement | undefined => {
  if (camera.isOn) return camera.picture();
  if (pad.isEmpty) {
    write(note, "Draw something on the pad first.");
    return undefined;
  }
  const picture = pad.picture();
  pad.clear();
  return picture;
};

const examples = new Examples(take, () => {
  samples = undefined;
});

const samplesNow = (): Samples => {
  samples ??= examples.samples(settings.held);
  return samples;
};

/** The side of a picture as the network takes it: DoodleNet takes but one. */
const sideOf = ({ network, side }: Settings): number => {
  const { sizes } = networks[network];
  return sizes.length === 1 ? sizes[0] : Number(side);
};

const planOf = (chosen: Settings): Plan => {
  const { network, way, classes, batch, seed, lr, body, first, alone } = chosen;
  return { network, way, classes, batch, seed, lr, body, first, alone, size: sideOf(chosen) };
};

/** Puts the examples of a source on the cards; the visitor's own stay as they are. */
async function fill({ examples: source, classes, seed }: Settings): Promise<void> {
  examples.resize(classes);
  const key = source === "own" ? "" : [source, classes, seed].join();
  if (key === filled) return;
  const given = await ready(source, classes, seed);
  examples.fill(given?.names ?? [], given?.classes ?? [], given?.others);
  filled = key;
}

const read = (name: Settings["network"]): Promise<FromKeras> => {
  const reading = files.get(name) ?? readNetwork(name, (path) => readFile(`networks/${path}`));
  files.set(name, reading);
  reading.catch(() => files.delete(name)); // to be tried again at the next reset
  return reading;
};

const taught = teach<YourRun, Settings>({
  samples: "Examples",
  software: {},

  async open(chosen, told) {
    settings = chosen;
    run = undefined; // it is gone
    const { network, classes, steps } = chosen;
    const device = await sharedDevice();
    if (device === undefined) await compile(dense(1), { input: [1], loss: meanSquaredError() }); // says why, before anything is loaded
    const published = await read(network);
    await fill(chosen);
    samples = undefined;
    const plan = planOf(chosen);
    model = withHead(network, published.model, classes);
    const trainer = await compileWay(published, plan, device && { device });
    return new YourRun(trainer, plan, steps, (pictures) => pictures.samples("learnt", samplesNow().learnt), told);
  },

  opened(opened) {
    run = opened;
    const { steps } = settings;
    write(code, typescript(opened.plan, steps));
    write(note, "Draw, or turn the camera on, and it says what it sees while it learns.");
    rows.replaceChildren();
    write(result, "");
  },

  look: see,

  async unsupported() {
    const { default: recording } = await import("./recorded.json");
    play(recording as Recorded);
  },

  async rested(now) {
    const { others } = samplesNow();
    if (others.y.length === 0) return;
    const { accuracy } = await now.trainer.evaluate(await now.pictures.samples("others", others));
    write(
      note,
      `${percent(accuracy)} of ${others.y.length} others right after ${now.trainer.steps} steps in ${now.seconds.toFixed(1)} s.`,
    );
  },
});

let looking = false;
let asked = false;

/** What the network says of the pad, or of what the camera sees. Who asks meanwhile is answered by another look. */
async function see(): Promise<void> {
  asked = true;
  if (looking) return;
  looking = true;
  try {
    while (asked) {
      asked = false;
      await look();
    }
  } catch (error) {
    showError(error);
  } finally {
    looking = false;
  }
}

async function look(): Promise<void> {
  const isGrey = run !== undefined && networks[run.plan.network].channels === 1;
  const filmed = isGrey ? camera.picture() : camera.video;
  const picture = camera.isOn ? filmed : pad.isEmpty ? undefined : pad.picture();
  if (run === undefined || picture === undefined) return;
  const { data } = await run.pictures.predict(picture);
  seen.replaceChildren(...oddsOf(examples.names, data));
}

/** Looks through the camera as often as answers come, at most some ten times a second, until it is turned off. */
async function watch(): Promise<void> {
  while (camera.isOn) {
    await see();
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** The ways one after the other, while the run rests. */
async function race(): Promise<void> {
  const given = samplesNow();
  if (given.others.y.length === 0)
    throw new Error(
      "There is nothing to judge by. Hold back an example or more of each class, or take examples that are there.",
    );
  const published = await read(settings.network);
  const device = await sharedDevice();
  const ended: Ended[] = [];
  rows.replaceChildren();
  for (const way of wayNames) {
    write(result, `${ways[way]}: ${settings.seconds} s of training …`);
    const plan = { ...planOf(settings), way };
    // From nothing all layers take one rate, a tenth of the head's: it is what they bear.
    const own = way === "scratch" ? { ...plan, lr: plan.lr / 10 } : plan;
    const one = await runWay(published, own, given, settings.seconds, device ? { device } : {});
    ended.push(one);
    const cells = [ways[way], percent(one.accuracy), String(one.steps), one.seconds.toFixed(1)];
    rows.append(make("tr", "", ...cells.map((text) => make("td", "", text))));
  }
  write(result, verdict(ended, given.others.y.length));
}

/** Does what a button says, once at a time, and tells what goes wrong. */
function button(selector: string, act: () => Promise<void> | void): void {
  const pressed = find(selector, HTMLButtonElement);
  pressed.addEventListener("click", async () => {
    if (pressed.ariaDisabled === "true") return;
    pressed.ariaDisabled = "true";
    try {
      await act();
    } catch (error) {
      showError(error);
    } finally {
      pressed.ariaDisabled = "false";
    }
  });
}

button("#clear", () => pad.clear());
button("#camera", async () => {
  await camera.toggle();
  void watch();
});
button("#compare", () => taught.atRest(race));
button("#copy", () => navigator.clipboard.writeText(code.textContent ?? ""));
button("#python", async () => {
  if (run === undefined) return;
  write(code, (await inPyTorch(run.trainer, model)).script);
});
button("#typescript", () => {
  if (run !== undefined) write(code, typescript(run.plan, settings.steps));
});
for (const [name, write] of Object.entries(writers)) {
  const id = `take-${name.toLowerCase().replace(/\W/g, "")}`;
  const made = make("button", "", name);
  made.type = "button";
  made.id = id;
  find("#take", HTMLDivElement).append(made);
  button(`#${id}`, async () => {
    if (run === undefined) return;
    const { size, network } = run.plan;
    await handOut(await write(run.trainer, model, [size, size, networks[network].channels]));
  });
}
// A picture that misses a class must not take the place of the page.
for (const kind of ["dragover", "drop"] as const) window.addEventListener(kind, (event) => event.preventDefault());
