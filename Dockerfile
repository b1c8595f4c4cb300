# One build, two images: `predictor` (the inference service) and `airflow` (Airflow with all of loanwatch).
# The tag can be pinned further: --build-arg PYTHON_IMAGE=python:3.11.9-slim-bookworm
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# ---------------------------------------------------------------- the base of both
# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS base
ENV PATH=/opt/loanwatch/bin:$PATH
# The folders that volumes are mounted on belong to the user: a new volume takes that over.
RUN groupadd --gid 10001 loanwatch \
 && useradd --uid 10001 --gid loanwatch --home-dir /var/lib/loanwatch --no-create-home --shell /usr/sbin/nologin loanwatch \
 && install -d -o loanwatch -g loanwatch /var/lib/loanwatch /var/lib/airflow /var/lib/airflow/logs

# ---------------------------------------------------------------- stages that are thrown away
FROM base AS build
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
    AIRFLOW_HOME=/tmp/airflow
RUN python -m venv /opt/loanwatch

FROM build AS build-predictor
COPY requirements/runtime.lock requirements/
RUN pip install --no-deps --require-hashes -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY docker/slim.sh docker/probe.py docker/
# what slim.sh leaves must answer as what was installed did, or there is no image
RUN pip install --no-deps --no-build-isolation . \
 && python docker/probe.py make /tmp/probe && docker/slim.sh predictor && python -B docker/probe.py check /tmp/probe predictor

FROM build AS build-airflow
COPY requirements/airflow.lock requirements/
RUN pip install --no-deps --require-hashes -r requirements/airflow.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY docker/slim.sh docker/probe.py docker/
# what slim.sh leaves must answer as what was installed did, or there is no image
RUN pip install --no-deps --no-build-isolation . \
 && python docker/probe.py make /tmp/probe && docker/slim.sh airflow && python -B docker/probe.py check /tmp/probe airflow

# ---------------------------------------------------------------- the root of both, in one layer without an installer
FROM base AS trimmed
RUN rm -rf /usr/lib/python3/dist-packages/* /usr/local/lib/python3.*/site-packages/* /usr/local/lib/python3.*/ensurepip \
      /usr/share/doc /usr/share/man /usr/share/info /usr/share/perl /usr/lib/python3.*/distutils /var/cache/apt/* \
      /var/lib/apt/lists/* /root/.cache

FROM scratch AS root
# a copy of everything is the point: layers below keep what was removed above them
# hadolint ignore=DL3067
COPY --from=trimmed / /
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8 \
    PATH=/opt/loanwatch/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LOANWATCH_HOME=/var/lib/loanwatch

# ---------------------------------------------------------------- the inference service alone
FROM root AS predictor
COPY --from=build-predictor /opt/loanwatch /opt/loanwatch
COPY --chmod=755 docker/entrypoint.sh /opt/
WORKDIR /var/lib/loanwatch
USER 10001:10001
EXPOSE 5100
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:5100/ping', timeout=4)"]
ENTRYPOINT ["/opt/entrypoint.sh"]
CMD ["loanwatch", "serve", "--host", "0.0.0.0", "--port", "5100"]

# ---------------------------------------------------------------- Airflow with loanwatch and its DAGs
FROM root AS airflow
COPY --from=build-airflow /opt/loanwatch /opt/loanwatch
# an empty folder of the user's: the volume of secrets takes that over
COPY --from=trimmed --chown=10001:10001 /var/lib/airflow/logs /run/loanwatch
COPY dags /opt/dags
COPY --chmod=755 docker/entrypoint.sh docker/health.py /opt/
ENV AIRFLOW_HOME=/var/lib/airflow AIRFLOW__CORE__DAGS_FOLDER=/opt/dags
WORKDIR /var/lib/airflow
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["/opt/entrypoint.sh"]
CMD ["airflow", "api-server"]
