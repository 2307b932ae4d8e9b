// Samples of pictures: what is asked for is checked against the model's inputs, room for the samples is made where all samples lie, and pictures
// are written there.

import { checkOptions, say } from "../foreign/options.ts";
import {
  DataError,
  type Network,
  type Numbers,
  OptionError,
  type Samples,
  ShapeError,
  type Trainer,
  type Uploaded,
} from "../index.ts";
import { isPixels, type Picture, type Pixels, pictureOf } from "./pixels.ts";
import { checkRoom, createWriter, type Form } from "./writer.ts";

/** Samples as `fit` takes them, with pictures as x. */
export interface PixelSamples extends Omit<Samples, "x"> {
  /** A picture for each sample; by the names of inputs where there are several, of which some may be numbers. */
  readonly x: Pixels | readonly Pixels[] | { readonly [name: string]: Pixels | readonly Pixels[] | Numbers };
}

/** Options of `fromPixels`. */
export interface FromPixelsOptions {
  /**
   * Whether the largest part in the middle is kept that has the proportions of the model's images; otherwise all of a picture is squeezed into
   * them. Default true.
   */
  readonly centerCrop?: boolean;
  /**
   * Whether a pixel of what is made smaller is the mean of all pixels that it covers, as in torchvision and Pillow; otherwise of the four around
   * its middle, as `tf.image.resizeBilinear` with halfPixelCenters. Default true.
   */
  readonly antialias?: boolean;
  /** What is seen through what is transparent, from 0 to 255: a shade, or red, green and blue. Default 255, white. */
  readonly background?: number | readonly number[];
  /** "u8": samples are bytes, as photographs are; "f32": they keep what lies between, in four times the memory. Default "u8". */
  readonly dtype?: "u8" | "f32";
  /** What an earlier call gave for as many pictures: these come in their place, whatever else lies there stays, and a prediction makes nothing anew. For a camera. */
  readonly into?: Uploaded;
}

type Parts = Network["parts"];
type Source = ReturnType<Parts["runner"]["source"]>;

/** What is asked for of one input of the model. */
interface Asked {
  readonly name: string;
  readonly form: Form;
  readonly pictures: readonly Picture[];
}

const PLACE = "fromPixels";

/** In which form pictures lie that may be replaced. */
const forms = new WeakMap<Uploaded, string>();

/**
 * Puts pictures on the GPU as samples of a model, as `upload` puts numbers there: each is copied by the browser, resized to the model's input as
 * PyTorch does (bilinear, align_corners=false, antialias) and brought to its 1, 3 or 4 channels, without a way through the host. Gives what `fit`,
 * `evaluate` and `predict` of that trainer take until it is disposed of; without y what `predict` takes. The same picture gives the same bits.
 * Throws DataError where a picture is empty, not ready, or of another origin, ShapeError where the model's input is no image, LimitError
 * where a picture is larger than the device takes, OptionError.
 *
 * @example
 * await trainer.fit(await fromPixels(trainer, { x: bitmaps, y: labels }), { epochs: 10 });
 * const seen = await fromPixels(trainer, video);
 * console.log(await trainer.predict(seen, { activation: "softmax" }));
 */
export async function fromPixels(
  trainer: Trainer | Network,
  pixels: Pixels | readonly Pixels[] | PixelSamples,
  options: FromPixelsOptions = {},
): Promise<Uploaded> {
  const network = networkOf(trainer);
  network.demandAlive();
  const { gpu, program, runner } = network.parts;
  const how = checkedOptions(options);
  const samples = isRecord(pixels) ? (pixels as PixelSamples) : { x: pixels as Pixels };
  const asked = askedOf(samples, network.parts, how);
  checkRoom(
    gpu,
    asked.flatMap(({ pictures }) => pictures),
  );
  const { into } = options;
  const form = JSON.stringify(
    asked.map(({ name, pictures, form }) => [name, pictures.length, form.bytes, form.factor]),
  );
  if (into !== undefined) checkInto(into, form, samples);
  const made = into ?? runner.upload(PLACE, { ...samples, x: roomFor(samples.x, asked) } as Samples);
  forms.set(made, form);
  try {
    const { feed } = made.sourceFor(PLACE, gpu) as Source;
    const writers = await Promise.all(
      asked.map(async ({ name, form, pictures }) => {
        const write = await createWriter(gpu, feed.buffers.get(`data.x${name && `.${name}`}`) as never, form);
        return () => write(pictures);
      }),
    );
    await network.turns(async () => {
      made.sourceFor(PLACE, gpu); // it may be gone since
      for (const write of writers) await write();
      // Whoever learns of inputs alone may have kept what frozen layers made of those that were here.
      if (into !== undefined && program.streams.targets.length === 0) runner.forgetFeatures();
    });
    return made;
  } catch (error) {
    if (into === undefined) made.dispose();
    throw error;
  }
}

const isRecord = (pixels: unknown): boolean =>
  typeof pixels === "object" && pixels !== null && !isPixels(pixels) && !Array.isArray(pixels);

const isPictures = (given: unknown): given is Pixels | readonly Pixels[] =>
  isPixels(given) || (Array.isArray(given) && isPixels(given[0]));

function networkOf(trainer: Trainer | Network): Network {
  const network = (trainer as Partial<Trainer> | undefined)?.network ?? (trainer as Network | undefined);
  if (network?.parts !== undefined) return network;
  throw new OptionError(
    `${PLACE}: it is given ${say(trainer)}, it takes a trainer of compile or a network of inference. One in a worker takes pictures there, and one that recovers takes bytes.`,
  );
}

/** Options as `Form` has them. Throws OptionError. */
function checkedOptions(options: FromPixelsOptions): Omit<Form, "shape" | "factor"> {
  checkOptions(PLACE, options, {
    centerCrop: "true or false",
    antialias: "true or false",
    ...{ background: "anything", dtype: "anything", into: "anything" },
  });
  const { centerCrop = true, antialias = true, dtype = "u8", background = 255 } = options;
  if (dtype !== "u8" && dtype !== "f32")
    throw new OptionError(`${PLACE}: dtype is ${say(dtype)}, it must be "u8" or "f32".`);
  const shades = typeof background === "number" ? [background, background, background] : background;
  if (!(Array.isArray(shades) && shades.length === 3 && shades.every((shade) => shade >= 0 && shade <= 255)))
    throw new OptionError(`${PLACE}: background is ${say(background)}, it must be a number from 0 to 255, or three.`);
  return { centerCrop, antialias, bytes: dtype === "u8", background: shades };
}

/** The inputs that pictures are given for. Throws DataError and ShapeError. */
function askedOf(
  { x, scale }: PixelSamples,
  { program, normalization }: Parts,
  how: ReturnType<typeof checkedOptions>,
): readonly Asked[] {
  const { inputs } = program.streams;
  const isAlone = inputs[0]?.name === "";
  const all = isAlone ? { "": x } : isRecord(x) ? (x as Readonly<Record<string, unknown>>) : {};
  const given = Object.entries(all).filter(([, pictures]) => isPictures(pictures));
  if (given.length === 0) {
    const names = isAlone ? "" : ` by the names of the inputs, ${inputs.map(({ name }) => name).join(", ")}`;
    throw new DataError(
      `${PLACE}: x is ${say(x)}, which has no picture. Give an ImageBitmap, a canvas, an image, a video, { data, width, height }, or a list of them${names}.`,
    );
  }
  return given.map(([name, one]) => {
    const what = `${PLACE}: x${name && `.${name}`}`;
    const input = inputs.find((stream) => stream.name === name);
    if (input === undefined)
      throw new DataError(
        `${what} is no input of the model. It has ${inputs.map((stream) => stream.name).join(", ")}.`,
      );
    const [height = 0, width = 0, channels = 0] = input.shape;
    if (input.shape.length !== 3 || input.classes !== undefined || ![1, 3, 4].includes(channels))
      throw new ShapeError(
        `${what}: the model's input has shape [${input.shape}], of pictures [height, width, channels] can be made with 1, 3 or 4 channels. Compile it with such an input.`,
      );
    const said = scale ?? normalization.scale;
    const isScaled = (typeof said === "object" ? said[name] : said) !== false;
    const pictures = isPixels(one)
      ? [pictureOf(what, one)]
      : (one as readonly unknown[]).map((picture, i) => pictureOf(`${what}[${i}]`, picture));
    return { name, pictures, form: { ...how, shape: [height, width, channels], factor: isScaled ? 1 / 255 : 1 } };
  });
}

/** x with room in the place of pictures. */
function roomFor(x: PixelSamples["x"], asked: readonly Asked[]): unknown {
  const rooms = asked.map(({ name, form, pictures }) => {
    const numbers = form.shape.reduce((product, side) => product * side, pictures.length);
    return [name, form.bytes ? new Uint8Array(numbers) : new Float32Array(numbers)] as const;
  });
  return asked[0]?.name === "" ? rooms[0]?.[1] : { ...(x as object), ...Object.fromEntries(rooms) };
}

/** Refuses to put pictures where others of this form do not lie. */
function checkInto(into: Uploaded, form: string, { x, ...more }: PixelSamples): void {
  const known = forms.get(into);
  if (known === undefined) throw new OptionError(`${PLACE}: into is ${say(into)}, it must be what ${PLACE} gave.`);
  const numbers = isRecord(x) ? Object.entries(x).filter(([, one]) => !isPictures(one)) : [];
  const others = [...numbers, ...Object.entries(more).filter(([, one]) => one !== undefined)].map(([name]) => name);
  if (others.length > 0)
    throw new OptionError(
      `${PLACE}: into takes pictures alone, and ${others.join(", ")} is given. Leave it out, or leave out into.`,
    );
  if (known !== form)
    throw new ShapeError(
      `${PLACE}: into holds pictures of the form ${known} (input, count, bytes, factor), those given make ${form}. Give as many, of the same dtype and scale.`,
    );
}
