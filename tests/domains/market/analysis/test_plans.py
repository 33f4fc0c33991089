"""No statement of an analysis reads a whole table."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from app.domains.market.analysis.statements import AnalysisSql
from tests.databases import NOON, Owner
from tests.domains.ledger.test_plans import scans
from tests.statements import statement

FILL = """
SET session_replication_role = replica;
INSERT INTO users (id, email, password_hash, full_name)
SELECT lpad(n::text, 32, '0')::uuid, n || '@example.com', 'x', 'x' FROM generate_series(1, 2000) n;
INSERT INTO analysis_cache (symbol, analysis_type, data, data_quality_score, created_at, expires_at)
SELECT 'T' || n / 10, (ARRAY['research','market-data','technical','sentiment','news','on-chain','predictions','risk',
       'derivatives','defi'])[n % 10 + 1], '{}', 50, $1, $1 + (n + 1) * interval '1 s' FROM generate_series(0, 9999) n;
INSERT INTO analysis_runs (id, user_id, session_id, symbol, created_at, expires_at)
SELECT lpad(n::text, 32, '0')::uuid, lpad((n / 5 + 1)::text, 32, '0')::uuid, 's' || n / 5, 'T' || n % 5, $1,
       $1 + n * interval '1 s' FROM generate_series(0, 9994) n;
INSERT INTO analysis_phases (run_id, user_id, phase_number, phase_data)
SELECT r.id, r.user_id, p, '{}' FROM analysis_runs r CROSS JOIN generate_series(1, 4) p;
INSERT INTO event_streams (stream, seq) SELECT 'analysis:' || id, 4 FROM analysis_runs;
INSERT INTO news_articles (id, title, source, url, impact, symbols_mentioned, published_at)
SELECT lpad(n::text, 32, '0')::uuid, 'x', 's' || n % 20, 'u' || n, n % 100, ARRAY['T' || n % 250],
       $1 - n * interval '1 minute' FROM generate_series(0, 49999) n;
INSERT INTO news_mentions (symbol, published_at, article_id)
SELECT symbols_mentioned[1], published_at, id FROM news_articles;
RESET session_replication_role;
ANALYZE;
"""


async def test_no_analysis_scans_a_table(owner: Owner) -> None:
    await owner.execute(FILL.replace("$1", f"'{NOON.isoformat()}'::timestamptz"))
    week, run_id = NOON - timedelta(days=7), await owner.fetchval("SELECT id FROM analysis_runs LIMIT 1")
    phase_id = await owner.fetchval("SELECT id FROM analysis_phases LIMIT 1")
    asked: tuple[tuple[Any, tuple[object, ...]], ...] = (
        (AnalysisSql.cached_analysis, ("T7", "news", NOON)),
        (AnalysisSql.news_summary, ("T7", week, NOON, NOON, Decimal("0.05"))),
        (AnalysisSql.top_news, ("T7", week, NOON, 10)),
        (AnalysisSql.news_sentiment, ("T7", [NOON, week], timedelta(days=3))),
        (AnalysisSql.current_run, ("s7", "T1", NOON)),
        (AnalysisSql.delete_expired_run, ("s7", "T1", NOON)),
        (AnalysisSql.complete_phase, (run_id, 1, "{}", NOON)),
        (AnalysisSql.phases_by_ids, ([phase_id],)),
        (AnalysisSql.delete_expired_analyses, (NOON + timedelta(seconds=100),)),
        (AnalysisSql.delete_expired_runs, (NOON + timedelta(seconds=10), 1000)),
    )
    for query, arguments in asked:
        assert await scans(owner, query, *arguments) == set(), query.name


async def test_the_tables_are_large_enough_for_the_plans_to_mean_something(owner: Owner) -> None:
    await owner.execute(FILL.replace("$1", f"'{NOON.isoformat()}'::timestamptz"))
    everything = statement("", "", "SELECT id FROM analysis_cache WHERE data_quality_score = $1")
    assert await scans(owner, everything, 3) == {"analysis_cache"}
