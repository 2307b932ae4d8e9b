// Names of the networks that tell digits apart, for what runs without the engine.

export const classifierNames = ["cnn", "lenet", "resnet8", "mobilenet", "vit-tiny"] as const;

export type Classifier = (typeof classifierNames)[number];
