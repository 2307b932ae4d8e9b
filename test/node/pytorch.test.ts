// Files of PyTorch: what others trained and saved reads as its safetensors twin does.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { type FromPyTorch, fromPyTorch } from "../../src/pytorch/index.ts";

describe("networks that others trained", () => {
  const pairs = [
    ["resnet20-cifar10/resnet20-12fca82f.th", "resnet20-cifar10/model.safetensors", "legacy", "state_dict.module"],
    ["vit-mnist/vit_mnist_3class.pt", "vit-mnist/vit_mnist_3class.safetensors", "zip", undefined],
    ["vit-mnist/vit_mnist_gpu.pt", "vit-mnist/vit_mnist_gpu.safetensors", "zip", undefined],
    ["rl-agents/ppo-cartpole-policy.pth", "rl-agents/ppo-cartpole-policy.safetensors", "zip", undefined],
  ] as const;

  test.each(pairs)("%s has the tensors of %s", async (file, twin, format, part) => {
    const options = part === undefined ? {} : { part };
    const { tensors, report } = await fromPyTorch(await dataFile(file), options);
    const expected = (await fromPyTorch(await dataFile(twin))).tensors;
    expect(report.format).toBe(format);
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, { shape, dtype, data }] of expected) {
      const found = tensors.get(name);
      expect({ name, shape: found?.shape, dtype: found?.dtype }).toEqual({ name, shape, dtype });
      expect(Buffer.from(found!.data.buffer).equals(Buffer.from(data.buffer)), name).toBe(true);
    }
  });

  test("a checkpoint tells what it holds beside tensors", async () => {
    const { values, tensors, report } = await fromPyTorch(await dataFile(pairs[0][0]));
    expect(values).toEqual({ state_dict: {}, best_prec1: expect.closeTo(91.78, 5) });
    expect(tensors.size).toBe(97);
    expect(String(report)).toContain("legacy: 97 tensors, 271098 numbers");
  });
});

interface Golden {
  readonly files: Readonly<Record<string, string>>;
  readonly tensors: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly numbers: readonly (number | string)[] }>
  >;
}

const golden = JSON.parse(readFileSync("test/golden/pytorch.json", "utf8")).objects as Readonly<Record<string, Golden>>;

describe("files of PyTorch itself", () => {
  const all = Object.entries(golden).flatMap(([name, { files, tensors }]) =>
    Object.entries(files).map(([form, file]) => ({ name, form, file, tensors })),
  );
  const read = (file: string): Promise<FromPyTorch> => fromPyTorch(Buffer.from(file, "base64"));

  test("are there in three forms", () => {
    expect(all.map(({ name, form }) => `${name} ${form}`)).toEqual([
      ...["types zip", "types legacy", "halves zip", "halves legacy", "views zip", "views legacy"],
      ...["checkpoint zip", "checkpoint legacy", "checkpoint packed"],
    ]);
  });

  test.each(all)("$name, $form: shapes and numbers are PyTorch's", async ({ file, tensors }) => {
    const found = (await read(file)).tensors;
    expect([...found.keys()]).toEqual(Object.keys(tensors));
    for (const [name, { shape, numbers }] of Object.entries(tensors)) {
      expect(found.get(name)?.shape, name).toEqual(shape);
      expect([...found.get(name)!.data], name).toEqual(numbers.map((number) => Math.fround(plain(number))));
    }
  });

  test.each(["zip", "legacy", "packed"])("a checkpoint's values are told as plain data, %s", async (form) => {
    const { values } = await read(golden.checkpoint!.files[form]!);
    expect(values).toEqual({
      model: {},
      optimizer: {
        state: { ...[{}, {}, {}, {}, {}] },
        param_groups: [expect.objectContaining({ lr: 1e-3, betas: [0.9, 0.999], params: [0, 1, 2, 3, 4] })],
      },
      epoch: 3,
      best: 0.5,
      name: "größe",
      flags: [true, false, null],
      large: 2n ** 62n,
      negative: -70000,
      nested: [[], {}, [1, [2]]],
      size: [2, 3],
      order: { b: 1, a: 2 },
    });
  });

  test("tied weights are views of the same bytes under two names", async () => {
    const { tensors } = await read(golden.checkpoint!.files.zip!);
    expect(tensors.get("model.two.weight")!.data).toEqual(tensors.get("model.one.weight")!.data);
  });
});

const plain = (number: number | string): number =>
  typeof number === "number" ? number : Number({ inf: "Infinity", "-inf": "-Infinity" }[number] ?? "NaN");
