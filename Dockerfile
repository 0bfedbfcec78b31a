# One image for every process: api (the default command), worker (`node dist/worker.js`), commands (`node dist/cli.js migrate`).
# The Node version is that of .node-version and package.json; test/architecture/dockerfile.spec.ts holds the three together.

FROM node:26.10.0-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2 AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
COPY schematics/package.json schematics/
RUN --mount=type=cache,target=/root/.npm npm ci
COPY tsconfig.json tsconfig.build.json tsconfig.migrations.json ./
COPY scripts scripts
COPY local local
COPY src src
COPY migrations migrations
RUN npm run build

# In a stage of its own, so that a change of the sources leaves this layer as it is.
FROM base AS production-dependencies
COPY package.json package-lock.json .npmrc ./
COPY schematics/package.json schematics/
# @nestjs/swagger names typescript as an optional peer, for its compiler plugin; npm installs it, and nothing loads it (24 MB).
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev && rm -r node_modules/typescript

# only: payments
# The payment provider of docker-compose.yml. Never part of the product's image.
FROM base AS sandbox
COPY package.json ./
COPY local/payment-sandbox.ts local/json-server.ts local/
COPY local/sandbox local/sandbox
USER node
EXPOSE 4010
CMD ["node", "local/payment-sandbox.ts", "--host", "0.0.0.0"]
# end

# Node and the libraries that it loads, and nothing else: no shell, no npm, no package manager for an intruder to use.
# Scanners read in status.d which Debian packages these files are from.
FROM base AS root
RUN set -eu; mkdir -p /root-fs/tmp /root-fs/etc /root-fs/var/lib/dpkg/status.d; chmod 1777 /root-fs/tmp; \
    cp --parents /usr/local/bin/node /root-fs; \
    for file in $(ldd /usr/local/bin/node | grep -o '/[^ ]*'); do \
      cp --parents -L "$file" /root-fs; \
      package=$(dpkg -S "*/${file##*/}" | head -n 1 | cut -d: -f1); \
      dpkg -s "$package" > "/root-fs/var/lib/dpkg/status.d/$package"; \
    done; \
    cp /etc/os-release /root-fs/etc; \
    echo 'app:x:10001:10001::/app:/sbin/nologin' > /root-fs/etc/passwd; \
    echo 'app:x:10001:' > /root-fs/etc/group

FROM scratch AS runtime
COPY --from=root /root-fs /
WORKDIR /app
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="holdfast" \
      org.opencontainers.image.description="A production-ready NestJS backend" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV PATH=/usr/local/bin
ENV NODE_ENV=production
# Less memory for the same throughput (docs/performance.md, "Memory"): two arenas of malloc instead of eight for each core.
ENV MALLOC_ARENA_MAX=2
# package.json says that dist/*.js are ES modules.
COPY package.json ./
COPY --from=production-dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# Everything above belongs to root: the process cannot change its own code. Numeric, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 3000 3001
# Liveness, not readiness: an orchestrator that acts on this check must not restart replicas because PostgreSQL is away.
HEALTHCHECK --interval=10s --timeout=2s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MANAGEMENT_PORT || 3001}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is the process that gets SIGTERM: neither a shell nor npm stands in between.
CMD ["node", "dist/main.js"]
