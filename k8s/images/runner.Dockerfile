# One runner, with its model. Built by k8s/images/build from the repository's root.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim

FROM ${BASE_IMAGE} AS install
# Or requirements/runners-gpu.txt, with TensorFlow for CUDA.
ARG REQUIREMENTS=requirements/runners.txt
COPY ${REQUIREMENTS} /build/requirements.txt
COPY k8s/images/prune k8s/strip.py /build/
# pip stays outside, so that nothing in the image can install.
RUN python -m venv --without-pip /opt/osteoserve \
    && pip --python /opt/osteoserve/bin/python --disable-pip-version-check \
        install --no-cache-dir --no-compile --require-hashes --no-deps -r /build/requirements.txt \
    && /build/prune /opt/osteoserve && python /build/strip.py /opt/osteoserve/lib \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/osteoserve/lib

# What the five runners share ends with `install`; with a cache of layers it is made once.
FROM install AS sbom
COPY k8s/images/sbom.txt /build/sbom.txt
RUN python -m venv --without-pip /build/tool \
    && pip --python /build/tool/bin/python --disable-pip-version-check \
        install --no-cache-dir --require-hashes --no-deps -r /build/sbom.txt \
    && /build/tool/bin/cyclonedx-py environment /opt/osteoserve/bin/python \
        --output-reproducible --output-format JSON --output-file /build/sbom.cdx.json

FROM install AS project
ARG RUNNER
WORKDIR /srv/osteoserve
COPY models models
COPY protocol protocol
COPY bentos bentos
COPY listener listener
COPY telemetry telemetry
# Its own model, and no other's; vertebrae serves bone as well.
RUN test -d "bentos/${RUNNER}" \
    && for other in models/artifacts/*/; do \
        case "${RUNNER}/$(basename "$other")" in \
            "${RUNNER}/${RUNNER}" | vertebrae/bone) ;; \
            *) rm -rf "$other" ;; \
        esac; done \
    && python -m compileall -q --invalidation-mode unchecked-hash models protocol bentos listener telemetry

FROM ${BASE_IMAGE}
ARG RUNNER
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="osteoserve-${RUNNER}" \
      org.opencontainers.image.description="A second look at spine DXA scans: the ${RUNNER} runner. Research use only." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=install /opt/osteoserve /opt/osteoserve
COPY --from=sbom /build/sbom.cdx.json /usr/share/sbom/osteoserve.cdx.json
COPY --from=project /srv/osteoserve /srv/osteoserve
COPY LICENSE NOTICE /srv/osteoserve/
ENV PATH=/opt/osteoserve/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    BENTOML_HOME=/tmp/bentoml \
    NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /srv/osteoserve
USER 10001:10001
EXPOSE 8000
# Arguments: NAME --host :: --port 8000
ENTRYPOINT ["python", "-m", "bentos"]
