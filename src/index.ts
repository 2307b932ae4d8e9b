// The door: everything that Gradus offers, by name.

export type { Batches, Data, EpochBatches, Inputs, Samples, StreamNumbers } from "./data/dataset.ts";
export type { ByInput, Normalization } from "./data/normalization.ts";
export type { Numbers } from "./data/numbers.ts";
export type { Uploaded } from "./data/uploaded.ts";
export {
  CheckpointError,
  DataError,
  DeviceError,
  GradusError,
  LimitError,
  NameError,
  NonFiniteError,
  OptionError,
  ShapeError,
} from "./errors.ts";
export type { ConnectOptions, DeviceLike, GpuLike, MemoryLimit } from "./gpu/adapter.ts";
export type { Initializer, InitializerName } from "./initializer.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  type FileTensor,
  type Safetensors,
  type StoredTensor,
} from "./io/safetensors.ts";
export { type AttentionInputs, type MultiHeadAttentionOptions, multiHeadAttention } from "./model/attention.ts";
export { type BatchNormOptions, batchNorm } from "./model/batch-norm.ts";
export { bidirectional } from "./model/bidirectional.ts";
export { type ConfusionMatrixOptions, confusionMatrix } from "./model/confusion-matrix.ts";
export { type Conv1dOptions, type Conv2dOptions, conv1d, conv2d, conv2dTranspose } from "./model/conv2d.ts";
export { cut, type ReplaceHeadOptions, replaceHead } from "./model/cut.ts";
export { type DenseOptions, dense } from "./model/dense.ts";
export { type DepthwiseConv2dOptions, depthwiseConv2d, separableConv2d } from "./model/depthwise-conv2d.ts";
export { dropout, spatialDropout } from "./model/dropout.ts";
export {
  type EmbeddingOptions,
  embedding,
  positionEmbedding,
  type SinusoidalOptions,
  sinusoidalPositions,
} from "./model/embedding.ts";
export { glu, prelu, swiglu } from "./model/gated.ts";
export { graph } from "./model/graph-of.ts";
export { type InfoNceOptions, infoNCE } from "./model/info-nce.ts";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  type CrossEntropyOptions,
  crossEntropy,
  type HuberOptions,
  huber,
  klDivergence,
  meanAbsoluteError,
  meanSquaredError,
} from "./model/loss.ts";
export { accuracy, type BinaryAccuracyOptions, binaryAccuracy, perplexity, topK } from "./model/metric.ts";
export {
  type Borders,
  concatenate,
  cropping2d,
  depthToSpace,
  permute,
  reshape,
  spaceToDepth,
  type UpSampling2dOptions,
  upSampling2d,
  zeroPadding2d,
} from "./model/move.ts";
export {
  type GroupNormOptions,
  groupNorm,
  type LayerNormOptions,
  layerNorm,
  type RmsNormOptions,
  rmsNorm,
} from "./model/norm.ts";
export {
  averagePool1d,
  globalAveragePool1d,
  globalAveragePool2d,
  globalMaxPool1d,
  globalMaxPool2d,
  maxPool1d,
  type Pool1dOptions,
} from "./model/pool.ts";
export {
  type GruInput,
  type GruOptions,
  type GruState,
  gru,
  type LstmInput,
  type LstmState,
  lstm,
  type RecurrentOptions,
  type WithoutState,
  type WithState,
} from "./model/recurrent.ts";
export {
  type Functional,
  functional,
  type Layers,
  type Part,
  residual,
  type StochasticDepthOptions,
  sequential,
  stochasticDepth,
  type Use,
} from "./model/structure.ts";
export { type TransformerBlockOptions, transformerBlock } from "./model/transformer.ts";
export type { Input } from "./network/check.ts";
export { type InferenceOptions, inference } from "./network/inference.ts";
export type { NamedNumbers, ShapedNumbers, TransferOptions, Transferred } from "./network/named.ts";
export type { Network, PredictOptions } from "./network/network.ts";
export { type LayerSummary, type Summary, type SummaryOptions, summary } from "./network/summary.ts";
export {
  type EluOptions,
  elu,
  type GeluOptions,
  gelu,
  hardSigmoid,
  hardSwish,
  type LeakyReluOptions,
  leakyRelu,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  tanh,
} from "./op/activation.ts";
export { type AveragePool2dOptions, averagePool2d } from "./op/average-pool2d.ts";
export type { ConfusionMatrix } from "./op/confusion.ts";
export { defineElementwise, type Formula } from "./op/elementwise.ts";
export { type Ops, ops } from "./op/index.ts";
export type {
  Counts,
  From,
  GraphPart,
  Layer,
  Loss,
  LossFunction,
  Measure,
  Metric,
  MetricFunction,
  MetricScope,
  Model,
  Objective,
  OpLayer,
  Reduction,
  Scope,
  Term,
  Value,
  Values,
  Weighting,
} from "./op/layer.ts";
export { type MaxPool2dOptions, maxPool2d } from "./op/max-pool2d.ts";
export {
  type Attribute,
  type Attributes,
  type Choice,
  defineOp,
  type Kernel,
  type Known,
  type Op,
  type TensorSpec,
  type Way,
  type Work,
} from "./op/op.ts";
export { flatten } from "./op/reshape.ts";
export { type RotaryOptions, rotary } from "./op/rotary.ts";
export { logSoftmax, softmax } from "./op/softmax.ts";
export type { Padding } from "./op/window.ts";
export type { BetaOptions } from "./optim/betas.ts";
export { type AutoRgnOptions, autoRgn } from "./optim/controller/auto-rgn.ts";
export { type GuardOptions, guard } from "./optim/controller/guard.ts";
export { type HypergradientOptions, hypergradient } from "./optim/controller/hypergradient.ts";
export { type LossPlateauOptions, lossPlateau } from "./optim/controller/loss-plateau.ts";
export { type UpdateRatioOptions, updateRatio } from "./optim/controller/update-ratio.ts";
export type { BoundedOptions, Controller } from "./optim/controller.ts";
export type { Edit, EditKind } from "./optim/edit.ts";
export { type RateSuggestions, suggestRates } from "./optim/find-rate.ts";
export type { LayerRates } from "./optim/layer-rates.ts";
export type { ReplayOptions } from "./optim/log.ts";
export type { Optimizer } from "./optim/optimizer.ts";
export {
  discriminative,
  type FreezeOutOptions,
  freezeOut,
  type GradualUnfreezingOptions,
  geometric,
  gradualUnfreezing,
  inputFirst,
  type LayerDecayOptions,
  layerDecay,
  loraPlus,
  type MuPOptions,
  muP,
} from "./optim/preset.ts";
export type { ScaleOptions } from "./optim/rates.ts";
export {
  type ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
  type ReduceLROnPlateauState,
  type ReduceLROnPlateauTarget,
  reduceLROnPlateau,
} from "./optim/reduce-on-plateau.ts";
export { type AdadeltaOptions, adadelta } from "./optim/rule/adadelta.ts";
export { type AdagradOptions, adagrad } from "./optim/rule/adagrad.ts";
export { type AdamOptions, adam, adamw, lamb } from "./optim/rule/adam.ts";
export { adamax } from "./optim/rule/adamax.ts";
export { lion } from "./optim/rule/lion.ts";
export { type NadamOptions, nadam } from "./optim/rule/nadam.ts";
export { radam } from "./optim/rule/radam.ts";
export { type RmspropOptions, rmsprop } from "./optim/rule/rmsprop.ts";
export { type LarsOptions, lars, type SgdOptions, sgd } from "./optim/rule/sgd.ts";
export type { LayerInfo, RatePredicate, RateRule, RateSpec, Rates, When } from "./optim/rule.ts";
export type { RuleOptions, RuleSpec } from "./optim/rule-options.ts";
export {
  type Clock,
  type ConstantOptions,
  type CosineAnnealingOptions,
  type CyclicMomentumOptions,
  type CyclicOptions,
  chain,
  constant,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  cyclicMomentum,
  describeSchedule,
  type ExponentialOptions,
  exponentialLR,
  type LinearOptions,
  lambdaLR,
  linearLR,
  local,
  type MomentumSchedule,
  type MultiStepOptions,
  multiplicativeLR,
  multiStepLR,
  type OneCycleMomentumOptions,
  type OneCycleOptions,
  oneCycle,
  oneCycleMomentum,
  type PolynomialOptions,
  type Preview,
  type PreviewOptions,
  perEpoch,
  polynomialLR,
  preview,
  type Schedule,
  type ScheduleSpec,
  type SlantedTriangularOptions,
  type Span,
  type StepOptions,
  scheduleFrom,
  sequence,
  slantedTriangular,
  stepLR,
  type WarmRestartsOptions,
  type WarmupCosineOptions,
  type WarmupInverseSqrtOptions,
  type WarmupLinearOptions,
  type WsdOptions,
  warmupCosine,
  warmupInverseSqrt,
  warmupLinear,
  wsd,
} from "./optim/schedule.ts";
export type { GradientNoise, LayerStatistics, StepStatistics } from "./optim/statistics.ts";
export type { LayerRow, TensorRow } from "./optim/table.ts";
export type { MemoryReport, TrainerMemory } from "./plan/plan.ts";
export type { Random } from "./random.ts";
export type { FindRateOptions, FoundRates } from "./recipe/find-rate.ts";
export type { FineTuneOptions } from "./recipe/fine-tune.ts";
export type { EpochResult, Evaluation, FitOptions, FitResult, FitStep, StepResult } from "./recipe/fit-options.ts";
export type { Copies, Precision } from "./step/program.ts";
export { print, type Recording } from "./step/record.ts";
export type { HostTensor } from "./step/store.ts";
export { type CheckGradientsOptions, checkGradients } from "./trainer/check-gradients.ts";
export { compile } from "./trainer/compile.ts";
export type { AlternatingOptions, CompileOptions, CompileProgress, Gradients } from "./trainer/options.ts";
export type { OptimizerState, TensorState, TrainerState } from "./trainer/state.ts";
export type {
  Averaged,
  EvaluateOptions,
  LoadOptions,
  SaveOptions,
  StepGoal,
  Trainer,
  UploadOptions,
} from "./trainer/trainer.ts";
export type { BatchSchedule, Clip, NoiseScale, TrainingOptions } from "./trainer/training.ts";
export type { Autotune, SelfTest } from "./trainer/tuning.ts";
