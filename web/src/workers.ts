/** Tells Monaco where its workers are. Imported first: Monaco asks as soon as an editor is made. */

import type { Environment } from "monaco-editor";

const scripts: Record<string, string> = WORKER_SCRIPTS;

const environment: Environment = {
  getWorker(_moduleId, label) {
    return new Worker(new URL(scripts[label] ?? WORKER_SCRIPTS.editor, import.meta.url), { name: label });
  },
};

Object.assign(globalThis, { MonacoEnvironment: environment });
