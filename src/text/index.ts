// The door of gradus/text: text as tokens, of characters or of byte pairs, and what a longer vocabulary asks of weights.

export { type CharactersOptions, characters } from "./characters.ts";
export { type ExtendRowsOptions, extendRows } from "./rows.ts";
export { type DecodeOptions, type EncodeOptions, extend, type Tokenizer } from "./tokenizer.ts";
export { fromTokenizerBin } from "./tokenizer-bin.ts";
export { fromTokenizerJson } from "./tokenizer-json.ts";
