import { type FormEvent, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { DemoLogin } from "./config";
import favicon from "./favicon.svg";
import type { Session } from "./session";

interface Props {
  session: Session;
  demoLogins: DemoLogin[];
}

/** The bar above GraphiQL: the current user, and the log-in and log-out. */
export function SessionBar({ session, demoLogins }: Props): ReactNode {
  const viewer = useSyncExternalStore(session.subscribe, session.current);
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
      <img src={favicon} alt="" width="24" height="24" />
      <strong className="moneta-name">Moneta</strong>
      <span className="moneta-problem" role="alert">
        {problem}
      </span>
      {viewer === null && (
        <>
          {demoLogins.length > 0 && <span className="moneta-hint">Log in as</span>}
          {demoLogins.map(({ label, email, password }) => (
            <button
              key={email}
              type="button"
              className="moneta-button"
              title={email}
              disabled={busy}
              onClick={() => attempt(() => session.logIn(email, password))}
            >
              {label}
            </button>
          ))}
          <LoginForm busy={busy} onSubmit={(email, password) => attempt(() => session.logIn(email, password))} />
        </>
      )}
      {viewer && (
        <>
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
        </>
      )}
    </header>
  );
}

interface LoginFormProps {
  busy: boolean;
  onSubmit: (email: string, password: string) => void;
}

function LoginForm({ busy, onSubmit }: LoginFormProps): ReactNode {
  const details = useRef<HTMLDetailsElement>(null);

  useEffect(() => {
    function closeFromOutside(event: Event): void {
      const leaving = event instanceof KeyboardEvent ? event.key === "Escape" : isOutside(event, details.current);
      if (leaving && details.current) details.current.open = false;
    }
    document.addEventListener("pointerdown", closeFromOutside);
    document.addEventListener("keydown", closeFromOutside);
    return () => {
      document.removeEventListener("pointerdown", closeFromOutside);
      document.removeEventListener("keydown", closeFromOutside);
    };
  }, []);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onSubmit(String(form.get("email")), String(form.get("password")));
  }

  return (
    <details className="moneta-login" ref={details}>
      <summary className="moneta-button moneta-primary">Log in</summary>
      <form onSubmit={submit}>
        <label>
          E-mail
          <input name="email" type="email" autoComplete="username" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button type="submit" className="moneta-button moneta-primary" disabled={busy}>
          Log in
        </button>
      </form>
    </details>
  );
}

function isOutside(event: Event, element: Element | null): boolean {
  return event.target instanceof Node && !element?.contains(event.target);
}
