# syntax=docker/dockerfile:1
# One image for every role: `docker run headrace control|telemetry|gateway|serve|migrate`. See docker-compose.yml.

FROM node:20.20.2-trixie-slim AS console
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.11-slim-trixie AS programs
# The same uv as headrace/bootstrap.py uses.
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock README.md ./
# The dependencies alone first: this layer changes only with the lock file.
RUN uv sync --frozen --no-dev --no-install-project
COPY contracts contracts
COPY control control
COPY gateway gateway
COPY headrace headrace
COPY serving serving
COPY telemetry telemetry
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.11-slim-trixie
LABEL org.opencontainers.image.title="Headrace" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data headrace \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
WORKDIR /app
COPY LICENSE ./
COPY --from=programs /app/.venv .venv
COPY --from=console /build/frontend/dist frontend/dist
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    HEADRACE_DATA=/data \
    HEADRACE_HOST=0.0.0.0 \
    HEADRACE_CONSOLE_DIRECTORY=/app/frontend/dist \
    HEALTH_URL=http://127.0.0.1:8080/health/live
USER 10001:10001
EXPOSE 8080 8081 8082 8083
# Set HEALTH_URL to the role's own port; the default is control's.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['HEALTH_URL'], timeout=4)"]
ENTRYPOINT ["headrace"]
CMD ["control"]
