# The load tests: Locust and phantoms, no model. Built by k8s/images/build from the repository's root.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim

FROM ${BASE_IMAGE} AS install
COPY requirements/loadtests.txt /build/requirements.txt
COPY k8s/images/prune /build/prune
# pip stays outside, so that nothing in the image can install.
RUN python -m venv --without-pip /opt/osteoserve \
    && pip --python /opt/osteoserve/bin/python --disable-pip-version-check \
        install --no-cache-dir --no-compile --require-hashes --no-deps -r /build/requirements.txt
WORKDIR /srv/osteoserve
COPY models models
# Of the service its objectives alone.
COPY service/__init__.py service/
COPY service/observability/__init__.py service/observability/slo.py service/observability/
COPY loadtests loadtests
# The root is read-only in service: what Python would compile at each start is compiled here.
RUN /build/prune /opt/osteoserve \
    && /opt/osteoserve/bin/python -B -m loadtests capacity \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/osteoserve/lib models service loadtests

FROM install AS sbom
COPY k8s/images/sbom.txt /build/sbom.txt
RUN python -m venv --without-pip /build/tool \
    && pip --python /build/tool/bin/python --disable-pip-version-check \
        install --no-cache-dir --require-hashes --no-deps -r /build/sbom.txt \
    && /build/tool/bin/cyclonedx-py environment /opt/osteoserve/bin/python \
        --output-reproducible --output-format JSON --output-file /build/sbom.cdx.json

FROM ${BASE_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="osteoserve-loadtests" \
      org.opencontainers.image.description="Load tests of osteoserve, on phantoms. Research use only." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=install /opt/osteoserve /opt/osteoserve
COPY --from=install /srv/osteoserve /srv/osteoserve
COPY --from=sbom /build/sbom.cdx.json /usr/share/sbom/osteoserve.cdx.json
COPY LICENSE NOTICE /srv/osteoserve/
ENV PATH=/opt/osteoserve/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
WORKDIR /srv/osteoserve
USER 10001:10001
# Arguments: run --url http://… and the rest of the plan
ENTRYPOINT ["python", "-m", "loadtests"]
CMD ["run", "--help"]
