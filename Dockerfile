# gamelake as a service: `docker compose run --rm ingest`, `etl`, and the schedule.
# Both stages use one Python: the environment made in the first is moved, not made again.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN python3 -m venv /opt/gamelake/venv
ENV PIP="/opt/gamelake/venv/bin/python -m pip --disable-pip-version-check --no-cache-dir --quiet"
WORKDIR /src
# Wheels only, each checked against the hash in the lock; a layer of its own, as it changes rarely.
COPY requirements.lock ./
RUN $PIP install --no-deps --only-binary :all: --require-hashes --requirement requirements.lock
COPY . ./
RUN $PIP install --no-deps --no-build-isolation . \
 && cp docker/health.py docker/schedule.py /opt/gamelake/

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin gamelake \
 && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/gamelake
COPY --from=build /opt/gamelake /opt/gamelake
ENV PATH=/opt/gamelake/venv/bin:$PATH \
    GAMELAKE_HOME=/var/lib/gamelake \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/gamelake
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s \
  CMD ["python", "/opt/gamelake/health.py"]
CMD ["gamelake", "status"]
