import { expect, test } from "vitest";
import {
  adam,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  maxPool2d,
  print,
  relu,
  sequential,
} from "../../src/index.ts";
import { batchOf, startingWeights, workloads } from "../bench/workload.ts";

test("smoke", async () => {
  for (const name of ["mlp", "cnn"] as const) {
    const w = workloads[name];
    const model =
      name === "mlp"
        ? sequential({ fc1: dense(256), r1: relu(), fc2: dense(128), r2: relu(), fc3: dense(10) })
        : sequential({
            conv1: conv2d(8, { padding: "same" }),
            r1: relu(),
            p1: maxPool2d(2),
            conv2: conv2d(16, { padding: "same" }),
            r2: relu(),
            p2: maxPool2d(2),
            f: flatten(),
            head: dense(10),
          });
    const trainer = await compile(model, { input: w.input, batch: w.batch, loss: crossEntropy(), optimizer: adam() });
    console.log(trainer.adapter);
    console.log(print(trainer.recording()));
    trainer.setWeights(Object.fromEntries(w.tensors.map((t, i) => [t.name, startingWeights(w, i)])));
    const losses: number[] = [];
    for (let s = 0; s < 20; s++) losses.push((await trainer.step(batchOf(w, s))).loss);
    console.log(losses.join(" "));
    const b = batchOf(w, 0);
    await trainer.fit({ x: b.x, y: b.y }, { epochs: 5 });
    const t0 = performance.now();
    await trainer.fit({ x: b.x, y: b.y }, { epochs: 20 });
    console.log("ms/step", (performance.now() - t0) / 20);
    expect(losses[0]).toBeGreaterThan(1);
  }
});
