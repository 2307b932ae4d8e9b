// Pictures onto the device and into the samples that lie there: each as bytes into one buffer, by a copy of the browser's or of bytes, from which three
// kernels make a sample. One picture follows the other, so that all take the room of the largest, and nothing of it stays.

import { DataError, LimitError, type Network } from "../index.ts";
import laidSource from "./laid.wgsl?raw";
import { bytesOf, type Picture } from "./pixels.ts";
import resizedSource from "./resized.wgsl?raw";

type Gpu = Network["parts"]["gpu"];
type Command = Parameters<Gpu["pipeline"]>[0];
type Pair = readonly [x: number, y: number];

/** Flags of WebGPU by number, since not every runtime names them. */
const [COPY_DST, UNIFORM, STORAGE] = [0x8, 0x40, 0x80];
const [TEXTURE_COPY_SRC, TEXTURE_COPY_DST, RENDER_ATTACHMENT] = [0x1, 0x2, 0x10];
/** Bytes of which a row is a multiple where a texture is copied into a buffer. */
const ROW = 256;
const MOST_GROUPS = 65_535;

/** What samples are made of pictures, and how. */
export interface Form {
  /** [height, width, channels] of a sample. */
  readonly shape: readonly [number, number, number];
  /** Whether they are bytes. */
  readonly bytes: boolean;
  /** What numbers from 0 to 255 are multiplied by where they are none. */
  readonly factor: number;
  readonly centerCrop: boolean;
  readonly antialias: boolean;
  readonly background: readonly number[];
}

/** The part of a picture that is kept, in whole pixels: all of it, or the largest in its middle that has the sample's proportions. */
function partOf({ width, height }: Picture, { shape: [h, w], centerCrop }: Form): { first: Pair; part: Pair } {
  if (!centerCrop) return { first: [0, 0], part: [width, height] };
  const part = [
    Math.max(1, Math.min(width, Math.round((height * w) / h))),
    Math.max(1, Math.min(height, Math.round((width * h) / w))),
  ] as const;
  return { first: [Math.floor((width - part[0]) / 2), Math.floor((height - part[1]) / 2)], part };
}

/** A command as the device takes it, which has no place in a step. */
const commandOf = (kernel: string, source: string, holes: Command["holes"], constants = {}): Command => ({
  ...{ kernel, source, holes, constants },
  bindings: (["uniform", "read", "readWrite"] as const).map((access, number) => ({
    ...{ number, access, name: "", arena: "", offset: 0, bytes: 0 },
  })),
  ...{ step: false, grid: [1, 1, 1], when: 0, note: "", layer: "" },
});

/** Pixels from one row to the next: a texture is copied into a buffer by rows of whole pieces. */
const strideOf = ({ pixels, width }: Picture): number =>
  bytesOf(pixels) === undefined ? (Math.ceil((width * 4) / ROW) * ROW) / 4 : width;

/** Refuses pictures that the device has no room for, before any of them is copied. */
export function checkRoom(gpu: Gpu, pictures: readonly Picture[]): void {
  const { maxTextureDimension2D, maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const advice = "Make it smaller first: createImageBitmap(image, { resizeWidth }).";
  for (const picture of pictures) {
    const { pixels, width, height, name } = picture;
    if (bytesOf(pixels) === undefined && Math.max(width, height) > maxTextureDimension2D)
      throw new LimitError(
        `${name} has ${width} x ${height} pixels, this device takes ${maxTextureDimension2D} along a side. ${advice}`,
      );
    const bytes = strideOf(picture) * 4 * height;
    if (bytes > most) throw new LimitError(`${name} takes ${bytes} bytes, this device has ${most} for it. ${advice}`);
  }
}

/** Workgroups of 64 for so many threads. */
function gridOf(threads: number): Pair {
  const groups = Math.ceil(threads / 64);
  const rows = Math.ceil(groups / MOST_GROUPS);
  return [Math.ceil(groups / rows), rows];
}

/** Gives what writes pictures into the samples in `target`, from the first on. */
export async function createWriter(gpu: Gpu, target: GPUBuffer, form: Form) {
  const { device } = gpu;
  const [h, w, channels] = form.shape;
  const length = h * w * channels;
  const size = { SIZE: `${w}, ${h}` };
  const { bytes, factor } = form;
  const kernels = await Promise.all(
    [
      commandOf("across", resizedSource, { ...size, ACROSS: true, SEEN_THROUGH: channels === 4 }),
      commandOf("down", resizedSource, { ...size, ACROSS: false, SEEN_THROUGH: false }),
      commandOf(
        "laid",
        laidSource,
        { GREY: channels === 1, BYTES: bytes, FACTOR: `${Math.fround(factor)}f`, WORD: bytes ? "u32" : "f32" },
        { LENGTH: length, CHANNELS: channels },
      ),
    ].map((command) => gpu.pipeline(command, gpu.stepLayout(true))),
  );

  return async (pictures: readonly Picture[]): Promise<void> => {
    const all = pictures.map((picture) => ({ picture, ...partOf(picture, form), stride: strideOf(picture) }));
    const made: { destroy(): void }[] = [];
    const buffer = (label: string, bytes: number, usage: number): GPUBuffer => {
      const one = gpu.buffer(label, bytes, usage);
      made.push(one);
      return one;
    };
    let texture: GPUTexture | undefined;
    try {
      const place = buffer("place of a picture", 48, UNIFORM | COPY_DST);
      const most = Math.max(...all.map(({ picture, stride }) => stride * 4 * picture.height));
      const pixels = buffer("picture", most, STORAGE | COPY_DST);
      const lines = buffer("picture, across", Math.max(...all.map(({ part }) => part[1])) * w * 16, STORAGE);
      const resized = buffer("picture, resized", h * w * 16, STORAGE);
      const bound = [
        [place, pixels, lines],
        [place, lines, resized],
        [place, resized, target],
      ];
      const passes = kernels.map(({ pipeline, layout }, i) => {
        const entries = bound[i]!.map((one, binding) => ({ binding, resource: { buffer: one } }));
        return { pipeline, group: device.createBindGroup({ layout, entries }) };
      });
      for (const [i, { picture, first, part, stride }] of all.entries()) {
        const encoder = device.createCommandEncoder();
        const { width, height } = picture;
        const given = bytesOf(picture.pixels);
        if (given !== undefined) device.queue.writeBuffer(pixels, 0, given.data as Uint8Array<ArrayBuffer>);
        else {
          if (texture?.width !== width || texture.height !== height) {
            texture?.destroy();
            texture = device.createTexture({
              label: "picture",
              size: [width, height],
              format: "rgba8unorm",
              usage: TEXTURE_COPY_SRC | TEXTURE_COPY_DST | RENDER_ATTACHMENT,
            });
          }
          await copy(device.queue, picture, texture);
          encoder.copyTextureToBuffer({ texture }, { buffer: pixels, bytesPerRow: stride * 4 }, [width, height]);
        }
        device.queue.writeBuffer(place, 0, placeOf(form, { first, part, stride, start: i * length }));
        // Of bytes one word more than there are, for those that share their first and last word with other samples.
        const grids = [part[1] * w, h * w, bytes ? Math.ceil(length / 4) + 1 : length].map(gridOf);
        const pass = encoder.beginComputePass();
        for (const [k, { pipeline, group }] of passes.entries()) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(...(grids[k] as Pair));
        }
        pass.end();
        device.queue.submit([encoder.finish()]);
      }
    } finally {
      texture?.destroy();
      for (const one of made) one.destroy();
    }
  };
}

interface Place extends ReturnType<typeof partOf> {
  readonly stride: number;
  readonly start: number;
}

/** What the shaders call Place. */
function placeOf({ shape: [h, w], antialias, background }: Form, { first, part, stride, start }: Place): ArrayBuffer {
  const values = new ArrayBuffer(48);
  const wide = [part[0] / w, part[1] / h].map((pixels) => (antialias ? Math.max(1, pixels) : 1));
  new Uint32Array(values).set([...first, ...part, 0, 0, stride, start]);
  new Float32Array(values, 16).set(wide);
  new Float32Array(values, 32).set(background);
  return values;
}

/** Copies what the browser has of a picture. Throws DataError where it may not, or cannot. */
async function copy(queue: GPUQueue, { pixels, width, height, name }: Picture, texture: GPUTexture): Promise<void> {
  if (typeof queue.copyExternalImageToTexture !== "function")
    throw new DataError(`${name}: this runtime copies no pictures to the GPU. Give { data, width, height }.`);
  const put = (source: unknown): void =>
    queue.copyExternalImageToTexture({ source: source as GPUCopyExternalImageSource }, { texture }, [width, height]);
  try {
    put(pixels);
  } catch (cause) {
    const { name: kind, message } = cause as Error;
    if (kind === "SecurityError")
      throw new DataError(
        `${name} holds what another origin does not let pages read. Load it with crossOrigin = "anonymous" from a server that allows it.`,
        { cause },
      );
    try {
      // There are browsers that copy no video, but a still of it.
      const still = await createImageBitmap(pixels as ImageBitmapSource, { premultiplyAlpha: "none" });
      put(still);
      still.close();
    } catch {
      throw new DataError(`${name} could not be copied to the GPU (${message}). Draw it on a canvas and give that.`, {
        cause,
      });
    }
  }
}
