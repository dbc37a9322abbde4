# One image for all workers and the `cpor` command. Packages, and above them the project: a change of the code
# makes only the small upper layers anew.
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS packages
WORKDIR /build
RUN python -m venv --without-pip /venv
COPY requirements-image.lock ./
RUN pip --disable-pip-version-check --no-cache-dir --python /venv/bin/python \
        install --require-hashes -r requirements-image.lock

FROM python:${PYTHON} AS project
WORKDIR /build
COPY requirements.lock ./
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements.lock > setuptools.lock \
    && pip --disable-pip-version-check --no-cache-dir install --require-hashes -r setuptools.lock
COPY pyproject.toml README.md ./
COPY cpor cpor
COPY schemas schemas
COPY services services
RUN pip --disable-pip-version-check --no-cache-dir install --no-deps --no-build-isolation --no-index --target /app . \
    && rm -r /app/bin

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="cpor" \
      org.opencontainers.image.description="Claiming partner of record: the workers and the cpor command"
# A new volume takes its owner from the first image that mounts it: /data for the workers, /keys for what `cpor setup
# keys` makes up, /mail for a mail server that runs under the same user.
RUN groupadd --gid 10001 cpor \
    && useradd --uid 10001 --gid cpor --no-create-home --home-dir /tmp --shell /usr/sbin/nologin cpor \
    && install --directory --owner cpor --group cpor --mode 0750 /data /mail \
    && install --directory --owner cpor --group cpor --mode 0755 /keys \
    && printf '#!/bin/sh\nexec python -m cpor.ops "$@"\n' > /usr/local/bin/cpor \
    && chmod 0755 /usr/local/bin/cpor
COPY --from=packages /venv /venv
COPY --from=project /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CPOR_DATA=/data
USER 10001:10001
WORKDIR /data
# Healthy: the worker that CPOR_SERVICE and CPOR_SLOT name makes rounds. One that never does so within five minutes, or
# stops doing so for a minute, is not.
HEALTHCHECK --interval=5s --timeout=20s --start-period=300s --retries=6 CMD ["python", "-m", "cpor.runtime.health"]
CMD ["cpor", "--help"]
