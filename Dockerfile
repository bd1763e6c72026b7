# The gateway in a container: `docker build -t leeroo .`, then `docker run leeroo`; docs/installing.md says more.
#
#   --build-arg BASE=...     what the program is built on (debian:bookworm)
#   --build-arg RUNTIME=...  what it runs on: a Debian of the same release (debian:bookworm-slim)
#   --build-arg LLAMA=no     without llama.cpp: quicker to build, and no language models in this process
ARG BASE=docker.io/library/debian:bookworm
ARG RUNTIME=docker.io/library/debian:bookworm-slim

FROM ${BASE} AS build
ARG LLAMA=yes
ENV DEBIAN_FRONTEND=noninteractive LEEROO_LLAMA=${LLAMA}
RUN apt-get update && apt-get install -y --no-install-recommends git make python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make deb && rm -f build/packages/*dbgsym*

FROM ${RUNTIME}
RUN --mount=type=bind,from=build,source=/src/build/packages,target=/packages \
    apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends systemd-standalone-sysusers \
        /packages/leeroo_*.deb && \
    rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
# The same number in every image, so that a volume keeps its owner.
RUN usermod -u 10001 leeroo && groupmod -g 10001 leeroo && install -d -m 700 -o 10001 -g 10001 /var/lib/leeroo
COPY dist/docker/leeroo.yaml /etc/leeroo/leeroo.yaml

LABEL org.opencontainers.image.title="Leeroo" \
      org.opencontainers.image.description="One endpoint in front of many language models" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="file:///usr/share/doc/leeroo/docs/installing.md"
# Numbers, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /etc/leeroo
VOLUME /var/lib/leeroo
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/bin/leeroo", "health", "--quiet"]
ENTRYPOINT ["/usr/bin/leeroo"]
CMD ["serve"]
