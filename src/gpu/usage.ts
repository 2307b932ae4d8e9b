// The flags of WebGPU. Their numbers are part of its specification, while the globals that name them exist only where a
// browser, or whoever brings WebGPU to another runtime, has put them.

// Usages of buffers.
export const MAP_READ = 0x0001;
export const COPY_SRC = 0x0004;
export const COPY_DST = 0x0008;
export const UNIFORM = 0x0040;
export const STORAGE = 0x0080;

/** The mode in which a buffer is mapped. */
export const READ = 0x0001;

/** The stage that sees a binding. */
export const COMPUTE = 0x4;
