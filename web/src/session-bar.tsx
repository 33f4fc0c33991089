import { type ReactNode, useState, useSyncExternalStore } from "react";
import { AccountDialog } from "./account-dialog";
import type { Config } from "./config";
import favicon from "./favicon.svg";
import type { Session } from "./session";

interface Props {
  session: Session;
  config: Config;
  /** What stands beside the name. */
  children: ReactNode;
}

/** The bar above GraphiQL: the current user, and what changes who that is. */
export function SessionBar({ session, config, children }: Props): ReactNode {
  const viewer = useSyncExternalStore(session.subscribe, session.current);
  const [dialog, setDialog] = useState<"log-in" | "register" | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function attempt(action: () => Promise<void>): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await action();
    } catch (reason) {
      setProblem(reason instanceof Error ? reason.message : String(reason));
    } finally {
      setBusy(false);
    }
  }

  return (
    <header className="moneta-bar">
      <a className="moneta-name" href="/" title="About this server">
        <img src={favicon} alt="" width="24" height="24" />
        <h1>Moneta</h1>
      </a>
      {children}
      <span className="moneta-problem" role="alert">
        {problem}
      </span>
      {viewer === null && (
        <div className="moneta-session" role="group" aria-label="Log in">
          {config.demoLogins.length > 0 && <span className="moneta-hint">Log in as</span>}
          {config.demoLogins.map(({ label, email, password }) => (
            <button
              type="button"
              key={email}
              className="moneta-button"
              data-demo-login={email}
              title={email}
              disabled={busy}
              onClick={() => attempt(() => session.logIn(email, password))}
            >
              {label}
            </button>
          ))}
          <button type="button" className="moneta-button" onClick={() => setDialog("register")}>
            Register
          </button>
          <button type="button" className="moneta-button moneta-primary" onClick={() => setDialog("log-in")}>
            Log in
          </button>
        </div>
      )}
      {viewer && (
        <div className="moneta-session" role="group" aria-label="Your session">
          <span className="moneta-viewer" data-testid="viewer">
            {viewer}
          </span>
          <button
            type="button"
            className="moneta-button"
            disabled={busy}
            onClick={() => attempt(() => session.logOut())}
          >
            Log out
          </button>
        </div>
      )}
      {dialog && <AccountDialog session={session} config={config} first={dialog} onClose={() => setDialog(null)} />}
    </header>
  );
}
