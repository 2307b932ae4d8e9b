// A program that frees what it made at the end of a block. Compiled where the language's names for that are asked for (ESNext.Disposable).

import { compile, dense, inference, meanSquaredError, sequential } from "gradus";
import { compileCohort } from "gradus/cohort";
import { compileRecoverable } from "gradus/recover";
import { compileInWorker } from "gradus/worker";

const model = sequential([dense(1)]);
const options = { input: [1], loss: meanSquaredError() };

export async function run(): Promise<void> {
  using trainer = await compile(model, options);
  using uploaded = trainer.upload({ x: [1], y: [2] });
  await trainer.fit(uploaded);
  using network = await inference(model, await trainer.save());
  await network.predict([1]);
  using lasting = await compileRecoverable(model, options);
  using cohort = await compileCohort(model, { ...options, copies: 2 });
  await using far = await compileInWorker("./model.js");
  console.log(lasting.steps, cohort.copies, await far.weights());
}
