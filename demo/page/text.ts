// The text that the page works with: fetched once, however often a training begins anew.

import { type Corpus, loadCorpus, readTextWith } from "../text.ts";
import { readFile } from "./file.ts";

let loading: Promise<Corpus> | undefined;

export function loadText(): Promise<Corpus> {
  readTextWith(async () => new TextDecoder().decode(await readFile("text/moby-dick.txt.gz")));
  loading ??= loadCorpus();
  loading.catch(() => {
    loading = undefined; // to be tried again at the next reset
  });
  return loading;
}
