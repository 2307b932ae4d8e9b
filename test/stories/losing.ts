// A device that can be lost at will, as a driver's reset loses one: from then on what is submitted is dropped, what waits is
// rejected, and `lost` tells of it some time later. The device below it lives on.

export interface Losing {
  readonly device: GPUDevice;
  /** `after`: milliseconds until the device tells of it. */
  lose(reason?: GPUDeviceLostReason, after?: number): void;
}

/** What a lost device makes: it takes every call. */
const nothing: object = new Proxy(() => nothing, { get: () => nothing, apply: () => nothing });

export function losing(below: GPUDevice): Losing {
  let isLost = false;
  let tell: (info: GPUDeviceLostInfo) => void = () => undefined;
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
    tell = resolve;
  });
  let drop: (error: unknown) => void = () => undefined;
  const dropped = new Promise<never>((_, reject) => {
    drop = reject;
  });
  dropped.catch(() => undefined);
  const lasting = <T extends object>(target: T, own: Record<string, unknown>): T =>
    new Proxy(target, {
      get(_, key) {
        if (key in own) return own[key as string];
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
      set: (_, key, value) => Reflect.set(target, key, value),
    });
  const aborted = () => Promise.reject(new DOMException("The device is lost.", "AbortError"));
  const queue = lasting(below.queue, {
    submit: (list: GPUCommandBuffer[]) => isLost || below.queue.submit(list),
    writeBuffer: (...given: Parameters<GPUQueue["writeBuffer"]>) => isLost || below.queue.writeBuffer(...given),
    onSubmittedWorkDone: () => (isLost ? Promise.resolve() : below.queue.onSubmittedWorkDone()),
  });
  const device = lasting(below, {
    queue,
    lost,
    createBuffer(descriptor: GPUBufferDescriptor) {
      const buffer = below.createBuffer(descriptor);
      const mapAsync = buffer.mapAsync.bind(buffer);
      const mapped = (...given: Parameters<GPUBuffer["mapAsync"]>) =>
        isLost ? aborted() : Promise.race([mapAsync(...given), dropped]);
      Object.defineProperty(buffer, "mapAsync", { value: mapped, configurable: true });
      return buffer;
    },
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => (isLost ? nothing : below.createBindGroup(descriptor)),
    createCommandEncoder: (descriptor?: GPUCommandEncoderDescriptor) =>
      isLost ? nothing : below.createCommandEncoder(descriptor),
    createComputePipelineAsync: (descriptor: GPUComputePipelineDescriptor) =>
      isLost ? aborted() : below.createComputePipelineAsync(descriptor),
    destroy: () => lose("destroyed"),
  });
  function lose(reason: GPUDeviceLostReason = "unknown", after = 0): void {
    if (isLost) return;
    isLost = true;
    drop(new DOMException("The device is lost.", "AbortError"));
    const info = { reason, message: "a reset of the driver" } as GPUDeviceLostInfo;
    if (after === 0) tell(info);
    else setTimeout(() => tell(info), after);
  }
  return { device, lose };
}
