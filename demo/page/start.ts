// The start page says whether the others will find a GPU.

import { find } from "./element.ts";
import { showUnsupported } from "./notices.ts";

const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
if (!adapter) showUnsupported();
else {
  const { vendor, architecture, description } = adapter.info;
  find("#adapter", HTMLElement).textContent = [vendor, architecture].filter(Boolean).join(" ") || description;
}
