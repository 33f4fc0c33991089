import { type ReactNode, useSyncExternalStore } from "react";
import type { Notices } from "./notices";

/** One line below the session bar, while there is a notice that was not dismissed. */
export function NoticeBar({ notices }: { notices: Notices }): ReactNode {
  const notice = useSyncExternalStore(notices.subscribe, notices.current);
  return (
    <div role="status" data-testid="notice">
      {notice && (
        <p className="moneta-notice">
          <time dateTime={notice.at.toISOString()}>{notice.at.toLocaleTimeString()}</time>
          <span>{notice.text}</span>
          <button type="button" className="moneta-button" onClick={() => notices.dismiss()}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}
