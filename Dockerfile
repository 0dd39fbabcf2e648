# The service and the Node that runs it, on nothing else: no shell, no package manager, no dependency of the development.
# Needs no BuildKit.
#
#     docker build --build-arg REVISION=$(git rev-parse HEAD) -t partkeeper .
#
# An image by its digest: --build-arg NODE_IMAGE=node@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
# The place is that of the image: what Node compiles ahead is valid for one path alone.
WORKDIR /opt/partkeeper
COPY . .
# One step, which leaves nothing behind but /image: a layer with every tool of the development in it would take longer to store
# than to make. No package's script has to run for types to be checked and JavaScript to be written.
#
# What Node compiles ahead takes a third off every start; it is valid for one path, one account and the same options, those of the
# image. It is what two starts have needed: that of a check, and that of a service which finds no database.
# Beside Node go the libraries that it is linked to, and `env`, so that `docker exec … partkeeper status` finds it.
RUN set -eu \
 && npm ci --ignore-scripts --no-audit --no-fund \
 && npm run build \
 && npm prune --omit=dev --omit=peer --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/.bin && find node_modules -type d -empty -delete \
 && find dist node_modules \( -name '*.map' -o -name '*.d.ts' \) -type f -delete \
 && chmod 0755 dist/main.js \
 && mkdir compiled && chown 65532:65532 compiled \
 && export NODE_COMPILE_CACHE=/opt/partkeeper/compiled HOME=/tmp DATABASE_URL=postgres://127.0.0.1:1/none \
 && as='setpriv --reuid=65532 --regid=65532 --clear-groups' service='--max-semi-space-size=1 --optimize-for-size --no-opt --no-maglev' \
 && { $as node dist/main.js healthcheck || test $? = 1; } \
 && $as node $service -e "Promise.all(require('fs').globSync('/opt/partkeeper/dist/main-*.js').map(f => import(f)))" \
 && { $as timeout 3 node $service dist/main.js run >compiled/log || test $? = 124; } && rm compiled/log && test -n "$(ls compiled)" \
 && mkdir -p /image/opt/partkeeper /image/usr/local/bin /image/usr/bin /image/etc/partkeeper /image/tmp \
 && chmod 1777 /image/tmp \
 && mv package.json LICENSE dist sql node_modules compiled /image/opt/partkeeper/ \
 && cp /usr/local/bin/node /image/usr/local/bin/ && cp -L /usr/bin/env /image/usr/bin/ \
 && ln -s /opt/partkeeper/dist/main.js /image/usr/local/bin/partkeeper \
 && for library in $(ldd /usr/local/bin/node /usr/bin/env | grep -o '/[^ :]*\.so[^ ]*' | sort -u); do \
      cp --parents -L "$library" /image; \
    done \
 && for package in libc6 libgcc-s1 libstdc++6 coreutils; do \
      cp --parents "/usr/share/doc/$package/copyright" /image; \
    done \
 && printf 'root:x:0:0::/:\npartkeeper:x:65532:65532::/tmp:\n' > /image/etc/passwd \
 && printf 'root:x:0:\npartkeeper:x:65532:\n' > /image/etc/group \
 && printf 'hosts: files dns\n' > /image/etc/nsswitch.conf \
 && rm -rf ./* ~/.npm

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED
LABEL org.opencontainers.image.title="partkeeper" \
      org.opencontainers.image.description="Keeps PostgreSQL time partitions and materialized views healthy." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /image /
# NODE_OPTIONS: the heap may take half of what the container may; the rest is for the program, buffers and connections.
# PARTKEEPER_LISTEN: on the loopback address nobody outside could ask. It wins over the file; set it to nothing to undo that.
ENV PATH=/usr/local/bin:/usr/bin \
    NODE_OPTIONS=--max-old-space-size-percentage=50 \
    NODE_COMPILE_CACHE=/opt/partkeeper/compiled \
    PARTKEEPER_LISTEN=0.0.0.0:9465 \
    PARTKEEPER_REVISION=${REVISION}
# By its number, so that Kubernetes can see that it is not root.
USER 65532:65532
# partkeeper.yaml is looked for here; without one the bundled policy is in force.
WORKDIR /etc/partkeeper
EXPOSE 9465
# Each check starts a process: once a minute it takes half a percent of a processor.
HEALTHCHECK --interval=60s --timeout=10s --start-period=20s --retries=3 CMD ["partkeeper", "healthcheck"]
# The service is there for years, and idle most of the time: little room for garbage and no optimising compiler save it 20 of 105 MiB.
# What it costs is that a plan for thousands of partitions takes twice as long. `docker exec … partkeeper` goes without.
ENTRYPOINT ["node", "--max-semi-space-size=1", "--optimize-for-size", "--no-opt", "--no-maglev", "/opt/partkeeper/dist/main.js"]
CMD ["run"]
