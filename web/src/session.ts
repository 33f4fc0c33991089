/**
 * Who is logged in. The session itself is a pair of HttpOnly cookies that only the server can read; the page knows the
 * viewer's e-mail address, and remembers (in local storage) only that a user had logged in.
 */

import type { ExecutionResult } from "graphql";
import { post } from "./http";
import loginDocument from "./operations/login.graphql";
import logoutDocument from "./operations/logout.graphql";
import refreshDocument from "./operations/refreshSession.graphql";
import registerDocument from "./operations/register.graphql";
import requestResetDocument from "./operations/requestPasswordReset.graphql";
import resendDocument from "./operations/resendVerification.graphql";
import verifyDocument from "./operations/verifyEmail.graphql";
import viewerDocument from "./operations/viewer.graphql";

/** An e-mail address; null: anonymous; undefined: not asked yet. */
export type Viewer = string | null | undefined;

export interface Registration {
  accessCode: string;
  fullName: string;
  email: string;
  password: string;
}

interface ViewerNode {
  user: { email: string };
}

interface Outcome {
  __typename: string;
  viewer?: ViewerNode;
  message?: string;
}

const REMEMBERED = "moneta:logged-in";

export class Session {
  private viewer: Viewer;
  private refreshing: Promise<boolean> | null = null;
  private readonly listeners = new Set<() => void>();

  readonly current = (): Viewer => this.viewer;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Asks the server who the cookies belong to, renewing the session if it has run out meanwhile. */
  async load(): Promise<void> {
    try {
      let email = await fetchEmail();
      if (email === null && (await this.renew())) email = await fetchEmail();
      this.become(email);
    } catch {
      // Without an answer the session may still be valid, so it stays remembered. GraphiQL reports the failure.
      this.announce(null);
    }
  }

  /** Throws an Error whose message is for the person who logs in. */
  async logIn(email: string, password: string): Promise<void> {
    const payload = outcome(await post({ query: loginDocument, variables: { email, password } }), "login");
    this.become(payload.viewer?.user.email ?? null);
  }

  /** Creates a user, who is mailed a code. Throws as `logIn` does. */
  async register(input: Registration): Promise<void> {
    outcome(await post({ query: registerDocument, variables: { input } }), "register");
  }

  async verify(email: string, code: string): Promise<void> {
    outcome(await post({ query: verifyDocument, variables: { code: { email, code } } }), "verifyEmail");
  }

  async resendCode(email: string): Promise<void> {
    outcome(await post({ query: resendDocument, variables: { email } }), "resendVerification");
  }

  /** Has a link mailed, if somebody has this address. */
  async requestReset(email: string): Promise<void> {
    outcome(await post({ query: requestResetDocument, variables: { email } }), "requestPasswordReset");
  }

  async logOut(): Promise<void> {
    outcome(await post({ query: logoutDocument }), "logout");
    this.become(null);
  }

  /** Renews the session of this page; false if there is none, or it has ended. Concurrent calls share one request. */
  renew(): Promise<boolean> {
    if (localStorage.getItem(REMEMBERED) === null) return Promise.resolve(false);
    this.refreshing ??= alone(refresh).finally(() => {
      this.refreshing = null;
    });
    return this.refreshing.then((renewed) => {
      if (!renewed) this.become(null);
      return renewed;
    });
  }

  private become(viewer: string | null): void {
    if (viewer === null) localStorage.removeItem(REMEMBERED);
    else localStorage.setItem(REMEMBERED, "yes");
    this.announce(viewer);
  }

  private announce(viewer: string | null): void {
    if (viewer === this.viewer) return;
    this.viewer = viewer;
    for (const listener of this.listeners) listener();
  }
}

async function fetchEmail(): Promise<string | null> {
  const result = await post({ query: viewerDocument });
  const viewer = result.data?.viewer as ViewerNode | null | undefined;
  return viewer?.user.email ?? null;
}

/** False when the server refuses; throws when it does not answer. */
async function refresh(): Promise<boolean> {
  const result = await post({ query: refreshDocument });
  try {
    outcome(result, "refreshSession");
    return true;
  } catch {
    return false;
  }
}

/** A refresh token works once: if two browser tabs send the same one, the server ends the session. */
function alone<T>(action: () => Promise<T>): Promise<T> {
  // Browsers have locks in secure contexts only, which a plain address on a local network is not.
  return "locks" in navigator ? navigator.locks.request("moneta:renew", action) : action();
}

/** The payload of a mutation; throws its Problem, or its first error, as an Error. */
function outcome(result: ExecutionResult, field: string): Outcome {
  const payload = result.data?.[field] as Outcome | null | undefined;
  const refusal = result.errors?.[0]?.message ?? payload?.message;
  if (refusal !== undefined) throw new Error(refusal);
  if (!payload) throw new Error(`The server sent no answer to ${field}.`);
  return payload;
}
