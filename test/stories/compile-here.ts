// `compile` on one device for all stories of a file: what one has compiled the next finds ready.

import { sharedDevice } from "../../demo/page/shared-device.ts";
import { compile as compileAnywhere } from "../../src/index.ts";

export const compile: typeof compileAnywhere = async (model, options) => {
  const device = await sharedDevice();
  return compileAnywhere(model, { ...(device && { device }), ...options });
};
