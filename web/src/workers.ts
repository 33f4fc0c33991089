/** Tells Monaco where its workers are. Imported first: Monaco asks as soon as an editor is made. */

import type { Environment } from "monaco-editor";

/** Written into the page by build.mjs. */
const { dataset } = document.getElementById("root") as HTMLElement;

const environment: Environment = {
  getWorker(_moduleId, label) {
    const address = dataset[`${label}Worker`] ?? (dataset.editorWorker as string);
    return new Worker(address, { name: label, type: "module" });
  },
};

Object.assign(globalThis, { MonacoEnvironment: environment });
