# One image for every verb: `serve`, `work`, `migrate`.

FROM node:20-bookworm-slim AS web
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --omit=dev
COPY web/ ./
RUN npm run build

FROM python:3.11-slim-bookworm AS python
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements/production.lock /tmp/requirements.lock
RUN /venv/bin/pip install --no-deps --require-hashes -r /tmp/requirements.lock

FROM python:3.11-slim-bookworm
# A volume takes its owner from the folder that it is mounted on.
RUN useradd --system --uid 10001 --home-dir /moneta --create-home moneta \
    && install --directory --owner=moneta --mode=700 /moneta/home
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MONETA_ENVIRONMENT=production MONETA_HOST=0.0.0.0 MONETA_HOME=/moneta/home
COPY --from=python /venv /venv
WORKDIR /moneta
COPY app/ app/
COPY migrations/ migrations/
COPY --from=web /web/dist web/dist
RUN python -m compileall -q app migrations
USER moneta
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
