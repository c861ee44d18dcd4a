# slotlog in a container: one node as pid 1, its data in /data.
#
#   docker build -t slotlog .
#   docker run -p 127.0.0.1:6379:6379 -v slotlog:/data slotlog
#   docker run slotlog node --port 7000 --cluster-enabled yes      (directives as for redis-server)

FROM node:20-bookworm-slim AS build
WORKDIR /src
# Manifests first: packages are installed again only when one of these changes.
COPY package.json package-lock.json tsconfig.json tsconfig.base.json ./
COPY packages/resp/package.json packages/resp/
COPY packages/cluster-bus/package.json packages/cluster-bus/
COPY packages/node/package.json packages/node/
COPY packages/router/package.json packages/router/
COPY packages/slotlog/package.json packages/slotlog/
COPY test-e2e/package.json test-e2e/
RUN npm ci --no-audit --no-fund
COPY packages packages
RUN node node_modules/typescript/bin/tsc -b packages/slotlog
# The same tree again with only what runs: no sources, types, maps or tests.
RUN rm -rf node_modules && npm ci --omit=dev --workspace slotlog --no-audit --no-fund \
 && rm -rf packages/*/src packages/*/examples packages/*/monitoring packages/*/dist/testing \
 && find packages node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' \
      -o -name '*.d.cts' -o -name '*.test.js' -o -name '*.tsbuildinfo' \) -type f -delete

FROM node:20-bookworm-slim
COPY --from=build /src/node_modules /app/node_modules
COPY --from=build /src/packages /app/packages
RUN mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 6379
# One JSON object per log line, for whoever collects them; SLOTLOG_LOG_FORMAT=human reads better.
ENV SLOTLOG_LOG_FORMAT=json
# V8's heap limit bounds a node's data and is fixed when the process starts. Give the container about
# a third more: buffers live outside the heap. exec makes the node pid 1, which gets the signals.
ENV SLOTLOG_HEAP_MB=3072
ENTRYPOINT ["/bin/sh", "-c", "exec node --max-old-space-size=\"$SLOTLOG_HEAP_MB\" --max-semi-space-size=2 /app/packages/slotlog/dist/bin.js \"$@\"", "slotlog"]
# Outside the container nobody is on its loopback, so protected mode would refuse everybody.
CMD ["node", "--protected-mode", "no", "--appendonly", "yes"]
