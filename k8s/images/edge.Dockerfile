# The edge: pages, a watched folder and all models in one process. Built by k8s/images/build from the
# repository's root.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim

FROM ${BASE_IMAGE} AS install
COPY requirements/edge.txt /build/requirements.txt
COPY k8s/images/prune k8s/strip.py /build/
# pip stays outside, so that nothing in the image can install.
RUN python -m venv --without-pip /opt/osteoserve \
    && pip --python /opt/osteoserve/bin/python --disable-pip-version-check \
        install --no-cache-dir --no-compile --require-hashes --no-deps -r /build/requirements.txt
WORKDIR /srv/osteoserve
COPY models models
COPY protocol protocol
COPY service service
COPY listener listener
COPY telemetry telemetry
COPY frontend frontend
# The root is read-only in service: what Python would compile at each start is compiled here, and
# only what the edge imports.
RUN /build/prune /opt/osteoserve frontend/locales && python /build/strip.py /opt/osteoserve/lib \
    && /opt/osteoserve/bin/python -B -c "import sys, service.__main__, service.edge.app, models.runtime.litert; \
        print(*(m.__file__ for m in list(sys.modules.values()) if (getattr(m, '__file__', None) or '').endswith('.py')), sep='\n')" \
        > /build/imported \
    && /opt/osteoserve/bin/python -m compileall -q --invalidation-mode unchecked-hash -i /build/imported

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
LABEL org.opencontainers.image.title="osteoserve-edge" \
      org.opencontainers.image.description="A second look at spine DXA scans, in one process and offline. Research use only." \
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
    HOME=/tmp \
    OPENBLAS_NUM_THREADS=1 \
    OSTEOSERVE_HOST=:: \
    OSTEOSERVE_VAR=/var/lib/osteoserve
WORKDIR /srv/osteoserve
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["python", "-m", "service"]
CMD ["edge"]
