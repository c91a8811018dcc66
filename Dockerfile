# The server alone: the database is somebody else's, so neither the embedded PostgreSQL nor npm's own Node is in here.
#   docker build -t arkitect-orchestrator .
#   docker run -p 8000:8000 -p 50051:50051 -e DATABASE_URL=postgres://… -e ADMIN_TOKEN=… arkitect-orchestrator

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node node_modules/typescript7/bin/tsc -p tsconfig.build.json

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional are only Node and PostgreSQL themselves, and what developers' tools bring for other platforms.
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM node:26-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
WORKDIR /app
# The admin token is kept here when none is given; mount a volume to keep it.
RUN install -d -m 0700 -o node -g node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY migrations ./migrations
COPY proto ./proto
# The account "node", by number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8000 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Without npm around it: Node is the first process of the container, and handles the signals itself.
CMD ["node", "--enable-source-maps", "dist/main.js"]
