// Runs in the browser, and by process.ts in Deno and Node: the trainings that answer the questions of plan.ts.

import { type CohortOptions, type CopyEvaluation, compileCohort } from "../../../src/cohort/index.ts";
import {
  adam,
  adamw,
  batchNorm,
  type CompileOptions,
  compile,
  cosineAnnealingLR,
  dense,
  elu,
  flatten,
  gelu,
  type Layer,
  leakyRelu,
  mish,
  muP,
  relu,
  selu,
  sequential,
  sgd,
  sigmoid,
  silu,
  summary,
  tanh,
} from "../../../src/index.ts";
import type { Digits } from "../../digits.ts";
import { classes, digitsOf, SIZE } from "../digits.ts";
import { methodTable } from "../method.ts";
import { studyNetwork } from "../network.ts";
import { shared, takenOver, tuningOf } from "../page.ts";
import { full as rateStudy } from "../plan.ts";
import type { Activation, Answer, Asked, Budget, Network, Norms, Sweep, Tuning } from "./plan.ts";

declare global {
  /** What demo/study/claims/main.ts calls here. */
  var answer: (asked: Asked) => Promise<Answer>;
}

const layers: Readonly<Record<Activation, () => Layer>> = {
  ...{ sigmoid, tanh, relu, leakyRelu, elu, selu, gelu, silu, mish },
};

const network = ({ hidden, width, activation, batchNorm: normed = false }: Network): Layer =>
  sequential({
    flat: flatten(),
    ...Object.fromEntries(
      Array.from({ length: hidden }, (_, i) => [
        `hidden${i}`,
        [dense(width), ...(normed ? [batchNorm()] : []), layers[activation]()],
      ]),
    ),
    head: dense(10),
  });

/** Images that are trained on, others for each seed. */
const trained = async ({ images }: Budget, seed: number): Promise<Digits> =>
  digitsOf({ part: "pretraining", family: "all", drawn: { perClass: Math.ceil(images / 10), seed } });

/** What copies tell of data, of one that has ended 0. */
const told = (copies: readonly CopyEvaluation[]) =>
  copies.map(({ accuracy }) => (Number.isNaN(accuracy) ? 0 : accuracy));

/** Trains copies at once, and asks what they know. */
async function cohort(
  model: Layer,
  options: Omit<CohortOptions, "input" | "loss">,
  { x, test, epochs, steps }: { x: Digits; test: Digits; epochs: number; steps?: number },
): Promise<Answer> {
  const made = await compileCohort(model, { ...(await shared()), ...options });
  const fit = await made.fit(x, { epochs, ...(steps && { steps }) });
  const loss = fit.epochs.at(-1)?.copies.map((copy) => (Number.isFinite(copy.loss) ? copy.loss : null)) ?? [];
  const answer = { loss, train: told(await made.evaluate(x)), test: told(await made.evaluate(test)) };
  made.dispose();
  return answer;
}

async function swept({ network: of, optimizer, batch, rates, muP: narrow }: Sweep, { seed, budget }: Asked) {
  const model = network(of);
  const shapes = ({ width }: Network): Record<string, readonly number[]> =>
    Object.fromEntries(
      summary(network({ ...of, width }), { input: [SIZE, SIZE, 1] }).layers.flatMap((layer) =>
        Object.entries(layer.shapes).map(([name, shape]) => [`${layer.name}.${name}`, shape] as const),
      ),
    );
  const rule = narrow === undefined ? [] : [muP({ base: shapes({ ...of, width: narrow }), optimizer })];
  return cohort(
    model,
    {
      ...{ copies: rates.length, batch, seed: seed + 1 },
      optimizer: optimizer === "sgd" ? sgd({ momentum: 0.9 }) : adam(),
      rates: (k) => [{ "**": rates[k] as number }, ...rule],
    },
    {
      x: await trained(budget, seed),
      test: await digitsOf({ part: "test", family: "all", count: budget.test }),
      epochs: budget.epochs,
    },
  );
}

/** As a fine-tuning of the study of rates, at all rates at once. */
async function tuned({ task, way, rates }: Tuning, { seed, budget }: Asked) {
  const { batch } = rateStudy;
  const steps = budget.epochs === 1 ? 10 : rateStudy.steps;
  await globalThis.pretrain(task.family, seed, budget.epochs === 1 ? brief : rateStudy);
  const { rates: by, control } = methodTable[way](steps);
  if (control !== undefined) throw new Error(`${way}: copies have no controllers.`);
  return cohort(
    studyNetwork(classes(task.family)),
    {
      ...{ copies: rates.length, batch, seed: seed + 1, weights: takenOver(task, seed) },
      ...{ optimizer: adamw({ weightDecay: 0.01 }), schedule: cosineAnnealingLR({ steps }) },
      rates: (k) => [{ "**": rates[k] as number }, ...(by === undefined ? [] : [by])] as CompileOptions["rates"],
    },
    {
      x: await tuningOf(task, seed),
      test: await digitsOf({ ...task, part: "test", count: budget.test }),
      ...{ epochs: steps, steps },
    },
  );
}

/** Of a study that only shows that all of it runs. */
const brief = { ...rateStudy, pretraining: { ...rateStudy.pretraining, steps: 20 } };

async function norms({ network: of }: Norms, { seed, budget }: Asked): Promise<Answer> {
  const batch = Math.min(256, budget.images);
  const trainer = await compile(network(of), { ...(await shared()), batch, seed: seed + 1 });
  const { x, y, ...rest } = await trained(budget, seed);
  const count = SIZE * SIZE * batch;
  const { gradients } = await trainer.gradients({ ...rest, x: x.slice(0, count), y: y.slice(0, batch) });
  trainer.dispose();
  const weights = [...gradients].filter(([name]) => name.endsWith(".weight"));
  return { norms: weights.map(([, { data }]) => Math.sqrt(data.reduce((sum, g) => sum + g * g, 0))) };
}

globalThis.answer = async (asked) => {
  const { ask } = asked.setting;
  if (ask.kind === "sweep") return swept(ask, asked);
  return ask.kind === "tuning" ? tuned(ask, asked) : norms(ask, asked);
};
