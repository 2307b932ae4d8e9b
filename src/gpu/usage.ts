// The flags of WebGPU. Their numbers are part of its specification, while the globals that name them exist only where a
// browser, or whoever brings WebGPU to another runtime, has put them.

export const BufferUsage = {
  MAP_READ: 0x0001,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
} as const;

export const MapMode = { READ: 0x0001 } as const;

export const ShaderStage = { COMPUTE: 0x4 } as const;
