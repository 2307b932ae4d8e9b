// Which pages the documentation has, and of what in this repository each is made.

/** Parts of texts, by file: all of it, sections by their headings, or questions of README by their first words. */
export interface Source {
  readonly file: string;
  readonly sections?: readonly string[];
  readonly questions?: readonly string[];
}

export interface Page {
  /** Its file, without the ending. */
  readonly name: string;
  readonly title: string;
  /** One sentence for the contents list. */
  readonly about: string;
  readonly sources: readonly Source[];
  /** Pages of the site where it can be tried, with what is said of each. */
  readonly live?: readonly (readonly [address: string, words: string])[];
  /** Whose names code on this page means, before those of the core: an entry point. */
  readonly entry?: string;
}

export interface Chapter {
  readonly title: string;
  readonly pages: readonly Page[];
}

const README = "README.md";

export const chapters: readonly Chapter[] = [
  {
    title: "Guide",
    pages: [
      {
        name: "quick-start",
        title: "Quick start",
        about: "Twenty lines, two commands, and where it runs.",
        sources: [
          { file: README, sections: ["", "Twenty lines"] },
          { file: README, questions: ["On a plain page", "What does it say?", "In Node and Deno"] },
          { file: README, sections: ["Two commands"] },
        ],
        live: [["digits/", "The network of these twenty lines, learning digits on your GPU"]],
      },
      {
        name: "layers",
        title: "Layers, losses, metrics",
        about: "What a model is made of, what it learns by, and what it tells.",
        sources: [
          {
            file: README,
            questions: [
              "Which layers are there?",
              "Which losses and metrics?",
              "How do the weights lie?",
              "What is it made of?",
              "Several inputs, outputs or losses?",
              "A loss of your own?",
            ],
          },
        ],
        live: [
          ["autoencoder/", "Convolutions and transposed convolutions"],
          ["gan/", "Two losses in one trainer"],
          ["depth/", "What reaches the first of twenty layers, by activation"],
        ],
      },
      {
        name: "rates",
        title: "Rates by layer",
        about: "Learning rates, decays and schedules for each layer, while it trains.",
        sources: [{ file: "docs/rates.md" }, { file: README, sections: ["Rates by layer"] }],
        live: [
          ["digits/?preset=layerDecay(0.75)", "Digits with layerDecay(0.75): the stem learns slowly, the head fast"],
          ["digits/?preset=inputFirst(0.75)", "Digits with inputFirst(0.75): the other way round"],
          [
            "digits/?preset=gradualUnfreezing(steps / 4)",
            "Digits with gradualUnfreezing: one layer more at each quarter",
          ],
          ["digits/?control=autoRgn()", "Digits with autoRgn(): the GPU chooses the rates"],
        ],
      },
      {
        name: "data",
        title: "Data",
        about: "What a fit takes: arrays, files, batches that are made on the way, bytes, text, pictures.",
        sources: [
          { file: "docs/data.md" },
          { file: README, questions: ["Text?", "More data than memory?", "Photographs, canvases, a camera?"] },
        ],
        live: [
          ["char-gpt/", "A small GPT that reads Moby-Dick"],
          ["yours/", "Pictures that you drop, or that your camera sees"],
        ],
        entry: "dataset",
      },
      {
        name: "checkpoints",
        title: "Checkpoints",
        about: "Save, load, resume to the same bits, and keep it in the browser.",
        sources: [{ file: "docs/checkpoints.md" }, { file: README, questions: ["Keep it in the browser"] }],
      },
      {
        name: "recovery",
        title: "Recovery",
        about: "A training that survives its device.",
        sources: [
          { file: README, questions: ["What if the driver resets?", "Does this adapter compute rightly?"] },
          { file: "docs/recovery.md" },
        ],
        entry: "recover",
      },
      {
        name: "branches",
        title: "Branches of time",
        about: "Any step of a training again, other futures from there, and a link to them.",
        sources: [
          { file: README, questions: ["What if I had changed a rate at step 400?"] },
          { file: "docs/branches.md" },
        ],
        live: [["digits/", "Train, go back along the curve, and change a layer's rate there"]],
        entry: "branches",
      },
      {
        name: "precision",
        title: "Mixed precision",
        about: "Activations in half of the memory, with a scale of the loss that finds itself.",
        sources: [{ file: README, questions: ["Half the memory?"] }, { file: "docs/precision.md" }],
        entry: "precision",
      },
      {
        name: "worker",
        title: "Worker",
        about: "Training beside the page, and predictions while it trains.",
        sources: [{ file: README, questions: ["In a worker", "A page that predicts while it trains"] }],
        entry: "worker",
      },
      {
        name: "callbacks",
        title: "Callbacks and recipes",
        about: "The loop that people know from Keras, and when callbacks act.",
        sources: [
          { file: README, questions: ["The loop that you know from Keras?", "When do callbacks act?"] },
          { file: "docs/callbacks.md" },
        ],
        entry: "callbacks",
      },
      {
        name: "cohort",
        title: "Cohort",
        about: "Many copies of a network in one training, each with rates of its own.",
        sources: [{ file: README, questions: ["Which rates?"] }, { file: "docs/cohort.md" }],
        entry: "cohort",
      },
      {
        name: "networks",
        title: "Readers and writers",
        about: "Networks of Keras, TensorFlow.js, PyTorch and ONNX, in and out.",
        sources: [{ file: README, sections: ["Networks that others trained"] }],
      },
      {
        name: "adapters",
        title: "Adapters",
        about: "LoRA, bottlenecks and BitFit: few weights train beside many that rest.",
        sources: [{ file: "docs/fine-tuning.md" }, { file: "docs/adapters.md" }],
        entry: "adapter",
      },
      {
        name: "ops",
        title: "Ops of your own",
        about: "A layer is a record, an op names its shapes, its gradient and its kernel.",
        sources: [{ file: README, sections: ["Ops of your own"] }],
      },
      {
        name: "several",
        title: "Several machines",
        about: "Clients that share one model, and a training that goes to torchrun and back.",
        sources: [{ file: README, questions: ["Several clients, one model?"] }, { file: "docs/ddp.md" }],
        entry: "pytorch",
      },
    ],
  },
  {
    title: "What to know",
    pages: [
      {
        name: "names",
        title: "Coming from elsewhere",
        about: "Names beside those of Keras, PyTorch and TensorFlow.js.",
        sources: [{ file: "docs/names.md" }],
      },
      {
        name: "limits",
        title: "Limits and browsers",
        about: "Where it runs, what it needs, and what it refuses.",
        sources: [{ file: "docs/limits.md" }],
      },
      {
        name: "promises",
        title: "What Gradus promises",
        about: "Twelve promises, each with its figure and the command that shows it.",
        sources: [{ file: README, sections: ["What Gradus promises"] }],
      },
      {
        name: "parity",
        title: "Parity",
        about: "The same numbers in four runtimes, and what networks of others reach.",
        sources: [{ file: "docs/parity.md" }],
      },
      {
        name: "speed",
        title: "Speed",
        about: "Steps beside other engines, and what each way of training costs.",
        sources: [
          { file: README, sections: ["Numbers"] },
          { file: README, questions: ["Is this the fastest it can be here?"] },
          { file: "docs/speed.md" },
        ],
        live: [["speed/", "The same measurement on your GPU"]],
        entry: "autotune",
      },
      {
        name: "study",
        title: "The study",
        about: "Which rates by layer help after which shift.",
        sources: [
          { file: README, sections: ["The study"] },
          { file: "docs/study.md" },
          { file: "docs/race.md" },
          { file: "docs/pretrained.md" },
          { file: "docs/claims.md" },
        ],
      },
      {
        name: "onnx",
        title: "Operators of ONNX",
        about: "Which are read, and which have gradients.",
        sources: [{ file: "docs/onnx.md" }],
      },
      {
        name: "architecture",
        title: "Architecture",
        about: "A walk through the code.",
        sources: [{ file: "ARCHITECTURE.md" }],
      },
      { name: "changes", title: "Changes", about: "What each version brought.", sources: [{ file: "CHANGELOG.md" }] },
    ],
  },
];

/** A page of the API: an entry point, or a part of the core by where its names are declared. */
export interface ApiPage {
  readonly name: string;
  readonly title: string;
  readonly entry: string;
  /** Files of src/ whose names it has; the first page that fits has a name. */
  readonly from?: RegExp;
}

export const apiPages = (entries: readonly string[]): readonly ApiPage[] => [
  {
    name: "api-training",
    title: "Training",
    entry: "index",
    from: /^\.\/(trainer|recipe|network|step|plan|gpu|random|initializer)\b/,
  },
  {
    name: "api-layers",
    title: "Layers, losses, metrics",
    entry: "index",
    from: /^\.\/(model\/|op\/(activation|average-pool2d|confusion|max-pool2d|reshape|rotary|softmax|window))/,
  },
  { name: "api-rates", title: "Rates, rules, schedules", entry: "index", from: /^\.\/optim\// },
  { name: "api-data", title: "Data, files, errors", entry: "index", from: /^\.\/(data\/|io\/|errors)/ },
  { name: "api-ops", title: "Ops", entry: "index", from: /^\.\/op\// },
  ...entries.map((entry) => ({ name: `api-${entry}`, title: `gradus/${entry}`, entry })),
];
