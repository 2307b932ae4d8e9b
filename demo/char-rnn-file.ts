// A network of ml5's CharRNN from its files: two LSTM layers of TensorFlow's BasicLSTMCell, whose kernel [256, 512] multiplies what comes in
// and what was held, with gates i j f o, and which adds 1 to the forget gate where it runs.

import type { HostTensor } from "../src/index.ts";

/** Gates of an LSTM here, i f g o, as they stand there: j is g. */
const GATES = [0, 2, 1, 3];
const FORGET = 1;

interface Manifest {
  readonly [name: string]: { readonly filename: string; readonly shape: readonly number[] };
}

/** The weights by the names of demo/models/char-lstm.ts; `read` gives a file of the folder. */
export async function readCharRnn(
  read: (file: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Map<string, HostTensor>> {
  const manifest: Manifest = JSON.parse(new TextDecoder().decode(await read("manifest.json")));
  const tensor = async (name: string): Promise<HostTensor> => {
    const { filename, shape } = manifest[name] as Manifest[string];
    return { shape, data: new Float32Array((await read(filename)).slice().buffer) };
  };
  const [table, weight, bias] = await Promise.all(["embedding", "rnnlm/softmax_w", "rnnlm/softmax_b"].map(tensor));
  const weights = new Map([["tokens.weight", table as HostTensor]]);
  for (const [i, name] of ["read", "read2"].entries()) {
    const cell = `rnnlm/multi_rnn_cell/cell_${i}/basic_lstm_cell`;
    const biases = byGate(await tensor(`${cell}/biases`));
    const { shape, data } = byGate(await tensor(`${cell}/weights`));
    const [rows = 0, width = 0] = shape;
    const units = width / GATES.length;
    const inputs = rows - units;
    weights.set(`${name}.weight`, { shape: [inputs, width], data: data.slice(0, inputs * width) });
    weights.set(`${name}.bias`, {
      shape: [width],
      data: biases.data.map((value, at) => value + (Math.floor(at / units) === FORGET ? 1 : 0)),
    });
    weights.set(`${name}.recurrentWeight`, { shape: [units, width], data: data.slice(inputs * width) });
  }
  return weights.set("head.weight", weight as HostTensor).set("head.bias", bias as HostTensor);
}

/** The same numbers with the gates of each row in the order of Gradus. */
function byGate({ shape, data }: HostTensor): HostTensor {
  const width = shape.at(-1) as number;
  const units = width / GATES.length;
  const from = (column: number): number => (GATES[Math.floor(column / units)] as number) * units + (column % units);
  return { shape, data: data.map((_, at) => data[at - (at % width) + from(at % width)] as number) };
}
