// The passes that may stand around the update, with their texts: what of shaders/ is no kernel of an op.

import accumulate from "../../shaders/accumulate.wgsl?raw";
import average from "../../shaders/average.wgsl?raw";
import control from "../../shaders/control.wgsl?raw";
import norm from "../../shaders/norm.wgsl?raw";
import rowSum from "../../shaders/row-sum.wgsl?raw";
import trust from "../../shaders/trust.wgsl?raw";

export const passTexts: Readonly<Record<string, string>> = {
  norm,
  "row-sum": rowSum,
  control,
  trust,
  accumulate,
  average,
};
