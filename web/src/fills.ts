/**
 * Values that an example's variables take from the graph when it is opened, so that it runs as it is: `{{recipient}}`,
 * another wallet than the viewer's; `{{portfolio}}`, the viewer's default one; `{{bot}}` and `{{backtest}}`, the
 * viewer's newest, the bot an active one; `{{participant}}`, the
 * newest that an example has made in the tenant of the headers; `{{price}}`, just above Bitcoin's; `{{key}}`, a new one for each payment or alert.
 */

import { post } from "./http";
import fillsDocument from "./operations/fills.graphql";

/** So close that the price passes it soon. */
const JUST_ABOVE = 1.00003;

interface Wallet {
  walletId: string;
}

interface Found {
  nodes: { id: string }[];
}

interface Fills {
  viewer: {
    wallet: Wallet | null;
    beneficiaries: { nodes: { wallet: Wallet | null }[] };
    defaultPortfolio: { id: string } | null;
    bots: Found;
    backtests: Found;
  } | null;
  tenant: { participants: Found } | null;
  blocks: { nodes: { miner: Wallet | null }[] };
  token: { priceUsd: string | null } | null;
}

const PLACEHOLDER = /\{\{(\w+)\}\}/g;

export function hasPlaceholders(text: string): boolean {
  return text.search(PLACEHOLDER) >= 0;
}

/** The text with all values that are known; without a log-in no recipient is, and its placeholder stays. */
export async function fill(text: string, headers = ""): Promise<string> {
  if (!hasPlaceholders(text)) return text;
  const { data } = await post({ query: fillsDocument }, headers.trim() ? (JSON.parse(headers) as Record<string, string>) : {});
  const values = valuesOf(data as Fills | null | undefined);
  return text.replace(PLACEHOLDER, (placeholder, name: string) => values[name] ?? placeholder);
}

function valuesOf(fills: Fills | null | undefined): Record<string, string | undefined> {
  const key = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36);
  if (!fills) return { key };
  const { viewer, tenant, blocks, token } = fills;
  const own = viewer?.wallet?.walletId;
  const others = [...(viewer?.beneficiaries.nodes ?? []).map(({ wallet }) => wallet), ...blocks.nodes.map(({ miner }) => miner)];
  const price = token?.priceUsd && (Number(token.priceUsd) * JUST_ABOVE).toFixed(2);
  return {
    key,
    recipient: viewer ? others.find((wallet) => wallet && wallet.walletId !== own)?.walletId : undefined,
    portfolio: viewer?.defaultPortfolio?.id,
    bot: viewer?.bots.nodes[0]?.id,
    backtest: viewer?.backtests.nodes[0]?.id,
    participant: tenant?.participants.nodes[0]?.id,
    price: price ?? undefined,
  };
}

/** Whether a text is what the template became when it was filled, or the template itself. */
export function isFilled(template: string, text: string): boolean {
  const pieces = template.trim().split(/\{\{\w+\}\}/).map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pieces.join('[^"]*')}$`).test(text.trim());
}
