// Usage: node conformance/audit.mjs <url>
// The GraphQL-over-HTTP audit of graphql-http. Exit code 0: no error and no warning; notices are listed only.
import { auditServer } from "graphql-http";

const [url] = process.argv.slice(2);
if (!url) {
  console.error("usage: audit.mjs <url of a GraphQL endpoint>");
  process.exit(2);
}

const results = await auditServer({ url }).catch((error) => {
  console.log(`no audit of ${url}: ${error.cause?.message ?? error.message}`);
  return [];
});
const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const { id, name, status, reason } of results) {
  counts[status] += 1;
  if (status !== "ok") console.log(`${status} ${id} ${name}: ${reason}`);
}
console.log(`${counts.ok} ok, ${counts.notice} notices, ${counts.warn} warnings, ${counts.error} errors`);
process.exit(results.length > 0 && counts.warn + counts.error === 0 ? 0 : 1);
