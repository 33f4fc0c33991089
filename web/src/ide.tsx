/** The page at /ide: GraphiQL over Moneta's graph, with a bar to log in. */

import "./workers";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { type ReactNode, useEffect, useRef, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import exampleTabs from "moneta:examples";
import { type Config, loadConfig } from "./config";
import { createFetcher } from "./fetcher";
import { NoticeBar } from "./notice-bar";
import { Notices } from "./notices";
import { Session } from "./session";
import { SessionBar } from "./session-bar";
import { Sockets } from "./sockets";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./ide.css";

const session = new Session();
const notices = new Notices();
const sockets = new Sockets(session, notices);
const fetcher = createFetcher(session, sockets);
const plugins = [HISTORY_PLUGIN, explorerPlugin()];

/** A server that hides its schema from anonymous callers shows it after a log-in: it is requested again for each user. */
function SchemaOfViewer(): ReactNode {
  const { introspect } = useGraphiQLActions();
  const isRefused = useGraphiQL((state) => state.schema === null && state.fetchError !== null);
  const viewer = useSyncExternalStore(session.subscribe, session.current) ?? null;
  const asked = useRef<string | null>(null);
  useEffect(() => {
    if (!isRefused || viewer === null || viewer === asked.current) return;
    asked.current = viewer;
    void introspect();
  }, [isRefused, viewer, introspect]);
  return null;
}

function Page({ config }: { config: Config }): ReactNode {
  return (
    <>
      <SessionBar session={session} demoLogins={config.demoLogins} />
      <NoticeBar notices={notices} />
      <GraphiQL
        fetcher={fetcher}
        plugins={plugins}
        defaultTabs={exampleTabs}
        defaultEditorToolsVisibility="variables"
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <></>
        </GraphiQL.Logo>
        <SchemaOfViewer />
      </GraphiQL>
    </>
  );
}

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
const config = await loadConfig();
session.subscribe(() => sockets.reconnect());
createRoot(root).render(<Page config={config} />);
await session.load();
