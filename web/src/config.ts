/** The configuration of the page, which the server provides at /ide/config.json. */

export interface DemoLogin {
  label: string;
  email: string;
  password: string;
}

export interface Config {
  /** One-click log-ins; empty everywhere but on a demo server. */
  demoLogins: DemoLogin[];
}

/** The page works without the file: then there are no demo log-ins. */
export async function loadConfig(): Promise<Config> {
  try {
    const response = await fetch("/ide/config.json", { credentials: "same-origin" });
    const config = response.ok ? ((await response.json()) as Partial<Config>) : {};
    return { demoLogins: config.demoLogins ?? [] };
  } catch {
    return { demoLogins: [] };
  }
}
