// Devices over a device: where one has a say its own parts stand in the place of those below, and pipelines that were compiled once are there for
// whoever asks below the same device.

/** A target in whose place `own` stands where it has a say. */
export const over = <T extends object>(target: T, own: object): T =>
  new Proxy(target, {
    get(_, key) {
      const isOwn = key in own;
      const value = Reflect.get(isOwn ? own : target, key);
      return typeof value === "function" && !isOwn ? value.bind(target) : value;
    },
  });

/** A device that compiles nothing twice: bind groups of equal layouts fit each other's pipelines. */
export function remembering(below: GPUDevice): GPUDevice {
  const texts = new WeakMap<object, string>();
  const made = new Map<string, Promise<GPUComputePipeline>>();
  /** Makes it, and keeps what it was made of. */
  const noting =
    <D, T extends object>(make: (descriptor: D) => T, text: (descriptor: D) => string) =>
    (descriptor: D): T => {
      const one = make(descriptor);
      texts.set(one, text(descriptor));
      return one;
    };
  return over(below, {
    createShaderModule: noting(
      (descriptor: GPUShaderModuleDescriptor) => below.createShaderModule(descriptor),
      ({ code }) => code,
    ),
    createBindGroupLayout: noting(
      (descriptor: GPUBindGroupLayoutDescriptor) => below.createBindGroupLayout(descriptor),
      ({ entries }) => JSON.stringify(entries),
    ),
    createPipelineLayout: noting(
      (descriptor: GPUPipelineLayoutDescriptor) => below.createPipelineLayout(descriptor),
      ({ bindGroupLayouts }) => [...bindGroupLayouts].map((one) => texts.get(one as object)).join(),
    ),
    createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
      const { layout, compute } = descriptor;
      const key = [texts.get(layout as object), texts.get(compute.module), JSON.stringify(compute.constants)].join(
        "\n",
      );
      const known = made.get(key) ?? below.createComputePipelineAsync(descriptor);
      made.set(key, known);
      return known;
    },
  });
}
