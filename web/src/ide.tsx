/** The page at /ide: GraphiQL over Moneta's graph, with a bar to log in, examples, and the events of subscriptions. */

import "./workers";
import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
import { GraphiQLProvider, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { type ReactNode, useEffect, useRef, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { type Config, loadConfig } from "./config";
import { EditorComfort } from "./editor-comfort";
import { EventPane } from "./event-pane";
import { ExampleGuide } from "./example-guide";
import { ExampleMenu } from "./example-menu";
import { FIRST_TABS } from "./examples";
import { createFetcher, openBySocket } from "./fetcher";
import { NoticeBar } from "./notice-bar";
import { Notices } from "./notices";
import { Session } from "./session";
import { SessionBar } from "./session-bar";
import { Sockets } from "./sockets";
import { Streams } from "./streams";
import { OpenTab } from "./tabs";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./ide.css";

const session = new Session();
const notices = new Notices();
const sockets = new Sockets(session, notices);
const streams = new Streams(openBySocket(sockets));
const openTab = new OpenTab();
const fetcher = createFetcher(session, streams, openTab);
const plugins = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN, explorerPlugin()];

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
  const viewer = useSyncExternalStore(session.subscribe, session.current);
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      plugins={plugins}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      defaultTabs={FIRST_TABS}
      onTabChange={openTab.onTabChange}
      inputValueDeprecation
      schemaDescription
    >
      <HistoryStore>
        <DocExplorerStore>
          <SessionBar session={session} config={config}>
            <ExampleMenu />
          </SessionBar>
          <NoticeBar notices={notices} />
          <main>
            <ExampleGuide viewer={viewer} />
            <GraphiQLInterface defaultEditorToolsVisibility="variables">
              <GraphiQL.Logo>
                <></>
              </GraphiQL.Logo>
              <GraphiQL.Footer>
                <EventPane streams={streams} />
              </GraphiQL.Footer>
            </GraphiQLInterface>
          </main>
          <EditorComfort />
          <SchemaOfViewer />
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
const config = await loadConfig();
let viewer = session.current();
session.subscribe(() => {
  sockets.reconnect();
  if (viewer) streams.forget();
  viewer = session.current();
});
createRoot(root).render(<Page config={config} />);
await session.load();
