// A trainer with the device that it runs on, and word of that device's end. Where the user gives no device, the one that
// `compile` makes is heard of on its way through.

import {
  type AlternatingOptions,
  type CompileOptions,
  compile,
  type Model,
  OptionError,
  type Trainer,
} from "../index.ts";
import type { RecoverableOptions } from "./options.ts";

/** What the device said when it was lost; of reason "fault" where it lives, and left out what it was asked for. */
export interface Loss {
  readonly reason: string;
  readonly message: string;
}

/** A trainer on one device. */
export interface Session {
  readonly trainer: Trainer;
  /** Once the device is lost: why. */
  loss: Loss | undefined;
  readonly lost: Promise<Loss>;
}

/** The device of an attempt, once there is one. */
interface Heard {
  device: GPUDevice | undefined;
}

/** Where adapters come from, with an ear on the devices that they give; undefined where there is no WebGPU, which `compile` says. */
function listening(given: unknown, heard: Heard): object | undefined {
  const entry = (given ?? globalThis.navigator?.gpu) as GPU | undefined;
  if (typeof entry?.requestAdapter !== "function") return entry;
  return {
    requestAdapter: async (options: GPURequestAdapterOptions) => {
      const adapter = await entry.requestAdapter(options);
      return (
        adapter && {
          limits: adapter.limits,
          info: adapter.info,
          requestDevice: async (descriptor: GPUDeviceDescriptor) => {
            heard.device = await adapter.requestDevice(descriptor);
            return heard.device;
          },
        }
      );
    },
  };
}

/** Compiles on a new device. */
export async function openSession(model: Model, options: RecoverableOptions): Promise<Session> {
  const { device: ask, ...rest } = options;
  const heard: Heard = { device: undefined };
  let own: object;
  if (ask === undefined) own = { gpu: listening(rest.gpu, heard) };
  else {
    const device = (await ask()) as GPUDevice | undefined;
    if (typeof device?.createBuffer !== "function") {
      throw new OptionError("compileRecoverable: device() gave no GPUDevice. Give one of a new adapter at each call.");
    }
    heard.device = device;
    own = { device };
  }
  const trainer = await compile(model, { ...rest, ...own } as CompileOptions | AlternatingOptions);
  const lost = (heard.device as GPUDevice).lost;
  const session: Session = { trainer, loss: undefined, lost };
  lost.then((loss) => {
    session.loss ??= loss;
  });
  return session;
}
