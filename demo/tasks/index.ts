// All tasks: what opens each, by the names of the table.

import { cnn, lenet, mobilenet, resnet8, vitTiny } from "./digits.ts";
import { gan } from "./gan.ts";
import { autoencoder, denoiser } from "./pictures.ts";
import type { TaskName } from "./table.ts";
import type { Open } from "./task.ts";
import { charGpt, charGru, charLstm } from "./text.ts";
import { vae } from "./vae.ts";

export const tasks: Readonly<Record<TaskName, Open>> = {
  ...{ cnn, lenet, resnet8, mobilenet, "vit-tiny": vitTiny },
  ...{ "char-gpt": charGpt, "char-lstm": charLstm, "char-gru": charGru },
  ...{ autoencoder, denoiser, vae, gan },
};
