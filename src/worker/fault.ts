// An error on its way between page and worker: it keeps its class, its name, its message, and what it says beside that.

import {
  CheckpointError,
  DataError,
  DeviceError,
  GradusError,
  LimitError,
  NameError,
  NonFiniteError,
  OptionError,
  ShapeError,
} from "../index.ts";

/** An error as plain data. */
export interface Fault {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a NonFiniteError. */
  readonly step: number | undefined;
  readonly cause: Fault | undefined;
}

type Make = new (message: string) => Error;

const classes: Readonly<Record<string, Make>> = {
  ...{ GradusError, ShapeError, OptionError, NameError, DataError, CheckpointError, DeviceError, LimitError },
  ...{ Error, TypeError, RangeError, SyntaxError, ReferenceError },
};

export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), ...nothing };
  const { name, message, stack, cause } = error;
  const step: unknown = Object(error).step;
  return {
    ...{ name, message, stack },
    step: typeof step === "number" ? step : undefined,
    cause: cause === undefined ? undefined : faultOf(cause),
  };
}

const nothing = { stack: undefined, step: undefined, cause: undefined };

export function errorOf({ name, message, stack, step, cause }: Fault): Error {
  const error = made(name, message, step);
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  if (cause !== undefined) error.cause = errorOf(cause);
  return error;
}

function made(name: string, message: string, step: number | undefined): Error {
  if (name === "NonFiniteError") return new NonFiniteError(message, step ?? 0);
  if (Object.hasOwn(classes, name)) return new (classes[name] as Make)(message);
  if (typeof DOMException !== "undefined" && new DOMException("", name).code > 0)
    return new DOMException(message, name);
  const error = new Error(message);
  error.name = name;
  return error;
}
