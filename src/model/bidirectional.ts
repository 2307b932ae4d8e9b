// A sequence read from both ends.

import { applied, checkLayer, type Layer } from "../op/layer.ts";
import { checkFunction } from "../option.ts";
import { concatenate } from "./move.ts";

/**
 * Two layers over one sequence, from its first step on and from its last, beside each other on the last axis, as Keras' Bidirectional
 * with "concat": [B, T, C] -> [B, 2 units], or [B, T, 2 units] where they give sequences. `make` makes each, told whether it goes
 * back. Parts by path: `forward` and `backward`. Throws OptionError where `make` is no function or makes no layer.
 *
 * @example bidirectional((reverse) => lstm(64, { reverse, returnSequences: true }))
 */
export function bidirectional(make: (reverse: boolean) => Layer): Layer {
  checkFunction("bidirectional", "its argument", make);
  const [forward, backward] = [make(false), make(true)];
  checkLayer("bidirectional", "what its function made", forward);
  checkLayer("bidirectional", "what its function made", backward);
  return {
    kind: "bidirectional",
    apply: (scope, x) =>
      concatenate(scope, [applied(forward, scope.child("forward"), x), applied(backward, scope.child("backward"), x)]),
  };
}
