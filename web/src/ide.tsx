/** The page at /ide: GraphiQL over Moneta's graph, with a bar to log in. */

import "./workers";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { type ReactNode, useEffect } from "react";
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

/** A server that hides its schema from strangers shows it after the log-in: ask again then. */
function SchemaOfViewer(): ReactNode {
  const { introspect } = useGraphiQLActions();
  const schema = useGraphiQL((state) => state.schema);
  useEffect(() => {
    const introspectIfHidden = (): void => {
      if (!schema) void introspect();
    };
    return session.subscribe(introspectIfHidden);
  }, [schema, introspect]);
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
