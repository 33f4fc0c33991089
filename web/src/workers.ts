/** Configures where Monaco finds its workers. Imported first: Monaco needs it as soon as an editor is created. */

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
