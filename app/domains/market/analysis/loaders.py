"""The loaders of the phases of an analysis, which only the user who started it can read."""

from app.domains.market.analysis.statements import AnalysisSql
from app.kit.loaders import Audience, one

analysis_phase_by_id = one(AnalysisSql.phases_by_ids, key="id", audience=Audience.VIEWER)
