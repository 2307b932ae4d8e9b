// An actor and a critic of their own weights over one state, under the names of Stable-Baselines3, so its files fit.

import { dense, graph, type Model, tanh } from "../../src/index.ts";

/** [state] -> { action: logits, value: [1] }. */
export const actorCritic = (actions = 2, units = 64): Model =>
  graph(
    [
      ...(["policy_net", "value_net"] as const).flatMap(
        (name) =>
          [
            [`mlp_extractor.${name}.0`, dense(units), "x"],
            [`mlp_extractor.${name}.1`, tanh(), `mlp_extractor.${name}.0`],
            [`mlp_extractor.${name}.2`, dense(units), `mlp_extractor.${name}.1`],
            [`mlp_extractor.${name}.3`, tanh(), `mlp_extractor.${name}.2`],
          ] as const,
      ),
      ["action_net", dense(actions), "mlp_extractor.policy_net.3"],
      ["value_net", dense(1), "mlp_extractor.value_net.3"],
    ],
    { action: "action_net", value: "value_net" },
  );
