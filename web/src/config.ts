/** The configuration of the page, which the server provides at /ide/config.json. */

export interface DemoLogin {
  label: string;
  email: string;
  password: string;
}

export interface Config {
  /** One-click log-ins; empty everywhere but on a demo server. */
  demoLogins: DemoLogin[];
  /** Codes to register with on a demo server, each good for one user. */
  accessCodes: string[];
  /** Where mail is shown instead of being sent; null where it is sent. */
  mailbox: string | null;
}

const NOTHING: Config = { demoLogins: [], accessCodes: [], mailbox: null };

/** The page works without the file: then it offers nothing of a demo. */
export async function loadConfig(): Promise<Config> {
  try {
    const response = await fetch("/ide/config.json", { credentials: "same-origin" });
    const config = response.ok ? ((await response.json()) as Partial<Config>) : {};
    return { ...NOTHING, ...config };
  } catch {
    return NOTHING;
  }
}
