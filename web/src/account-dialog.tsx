import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { Config } from "./config";
import type { Registration, Session } from "./session";

export type Step = "log-in" | "register" | "verify" | "forgotten" | "reset-mailed";

interface Props {
  session: Session;
  config: Config;
  first: "log-in" | "register";
  onClose: () => void;
}

const TITLES: Record<Step, string> = {
  "log-in": "Log in",
  register: "Register",
  verify: "Enter the code from the mail",
  forgotten: "Forgotten password",
  "reset-mailed": "Look at your mail",
};

/** Log-in, registration and forgotten password: one modal dialog, closed by Escape, that starts with `first`. */
export function AccountDialog({ session, config, first, onClose }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [step, setStep] = useState<Step>(first);
  const [email, setEmail] = useState("");
  /** Of a user who has just registered, to log in once the address is verified. */
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [sent, setSent] = useState<string | null>(null);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => dialog.current?.querySelector<HTMLElement>("input, .moneta-button")?.focus(), [step]);

  function go(to: Step): void {
    setProblem(null);
    setSent(null);
    setStep(to);
  }

  async function attempt(action: () => Promise<void>): Promise<void> {
    setBusy(true);
    setProblem(null);
    setSent(null);
    try {
      await action();
    } catch (reason) {
      setProblem(reason instanceof Error ? reason.message : String(reason));
    } finally {
      setBusy(false);
    }
  }

  const submits: Record<Step, (form: Record<string, string>) => Promise<void>> = {
    "log-in": async (form) => {
      await session.logIn(form.email ?? "", form.password ?? "");
      onClose();
    },
    register: async (form) => {
      await session.register(form as unknown as Registration);
      setPassword(form.password ?? "");
      go("verify");
    },
    verify: async (form) => {
      await session.verify(email, form.code ?? "");
      await session.logIn(email, password);
      onClose();
    },
    forgotten: async (form) => {
      await session.requestReset(form.email ?? "");
      go("reset-mailed");
    },
    "reset-mailed": async () => onClose(),
  };

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    if (form.email !== undefined) setEmail(form.email);
    void attempt(() => submits[step](form));
  }

  const mailbox = config.mailbox && (
    <a href={config.mailbox} target="_blank" rel="noreferrer">
      Open the mailbox of this server
    </a>
  );
  const link = (label: string, to: Step): ReactNode => (
    <button type="button" className="moneta-link" onClick={() => go(to)}>
      {label}
    </button>
  );
  const emailField = (
    <label>
      E-mail
      <input name="email" type="email" autoComplete="username" required defaultValue={email} />
    </label>
  );

  return (
    <dialog className="moneta-dialog" aria-labelledby="moneta-dialog-title" ref={dialog} onClose={onClose}>
      <form onSubmit={submit} key={step}>
        <h2 id="moneta-dialog-title">{TITLES[step]}</h2>
        {step === "log-in" && (
          <>
            {emailField}
            <label>
              Password
              <input name="password" type="password" autoComplete="current-password" required />
            </label>
          </>
        )}
        {step === "register" && <RegistrationFields email={emailField} accessCodes={config.accessCodes} />}
        {step === "verify" && (
          <>
            <p>
              A code was mailed to {email}. {mailbox}
            </p>
            <label>
              Code
              <input name="code" inputMode="numeric" autoComplete="one-time-code" pattern="\s*\d{6}\s*" required />
            </label>
          </>
        )}
        {step === "forgotten" && (
          <>
            <p>You receive a link with which you set a new password. It is valid for an hour.</p>
            {emailField}
          </>
        )}
        {step === "reset-mailed" && (
          <p>
            If {email} is registered, a link to set a new password is on its way. {mailbox}
          </p>
        )}
        <p className="moneta-problem" role="alert">
          {problem}
        </p>
        <p role="status">{sent}</p>
        <div className="moneta-dialog-actions">
          {step === "log-in" && link("Forgotten password", "forgotten")}
          {step === "log-in" && link("Register", "register")}
          {(step === "register" || step === "forgotten") && link("Log in", "log-in")}
          {step === "verify" && (
            <button
              type="button"
              className="moneta-link"
              disabled={busy}
              onClick={() =>
                attempt(async () => {
                  await session.resendCode(email);
                  setSent("If more than two minutes have passed since the last mail, another is on its way.");
                })
              }
            >
              Send another code
            </button>
          )}
          <button type="button" className="moneta-button" onClick={() => dialog.current?.close()}>
            {step === "reset-mailed" ? "Close" : "Cancel"}
          </button>
          {step !== "reset-mailed" && (
            <button type="submit" className="moneta-button moneta-primary" disabled={busy}>
              {{ "log-in": "Log in", register: "Register", verify: "Verify and log in", forgotten: "Mail me a link" }[step]}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

function RegistrationFields({ email, accessCodes }: { email: ReactNode; accessCodes: string[] }): ReactNode {
  return (
    <>
      <label>
        Access code
        <input
          name="accessCode"
          autoComplete="off"
          required
          defaultValue={accessCodes[0]}
          list="moneta-codes"
          aria-describedby="moneta-code"
        />
        <small id="moneta-code">
          {accessCodes.length > 0 ? "Each is good for one user; the field suggests more." : "You get one from an admin."}
        </small>
        <datalist id="moneta-codes">
          {accessCodes.map((code) => (
            <option key={code} value={code} />
          ))}
        </datalist>
      </label>
      <label>
        Full name
        <input name="fullName" autoComplete="name" maxLength={255} required />
      </label>
      {email}
      <label>
        Password
        <input
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={10}
          required
          aria-describedby="moneta-password"
        />
        <small id="moneta-password">At least 10 characters.</small>
      </label>
    </>
  );
}
