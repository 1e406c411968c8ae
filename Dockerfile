# Builds the program with TLS to PostgreSQL and puts it alone into a small image. For example, on SQLite on a volume:
#
#   docker build -t yiqi .
#   docker run -d -p 8080:8080 -v yiqi-data:/data -e YIQI_SECRET="2026a:$(openssl rand -base64 32)" yiqi
#
# or on PostgreSQL, whose certificate must be signed by an authority that the image or a mounted SSL_CERT_FILE knows:
#
#   docker run -d -p 8080:8080 \
#       -e "YIQI_DATABASE_URL=postgres://yiqi@db.example.org/yiqi?sslmode=verify-full&sslrootcert=system" \
#       -e YIQI_SECRET_FILE=/run/secrets/yiqi-keys … yiqi

FROM rust:1.95-bookworm AS build
WORKDIR /yiqi
# Only what goes into the program: another README costs no build.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates crates
COPY src src
COPY config config
COPY migrations migrations
COPY seeds seeds
# The manifest names the bench and the tests; cargo wants to see the files, but builds neither.
COPY benches/main.rs benches/main.rs
COPY tests/api/main.rs tests/api/main.rs
COPY tests/limited tests/limited
# Everything else this needs (SQLite, libpq, OpenSSL) is compiled in; perl and make come with the image. What was compiled
# before stays in the caches, which are no part of the image: a change of our source compiles our source. Cargo goes by
# times, and COPY keeps the files' own, which may be older than what is in the cache: hence touch.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/yiqi/target,sharing=locked \
    touch src/lib.rs src/main.rs \
    && cargo build --release --locked --features postgres-tls \
    && cp target/release/yiqi /yiqi/yiqi

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home yiqi
COPY --from=build /yiqi/yiqi /usr/local/bin/yiqi
USER yiqi
WORKDIR /data
VOLUME /data
# The compiled-in OpenSSL looks for authorities where it was compiled, which is nowhere here. `docker stop` kills after ten
# seconds, so running requests get eight.
ENV YIQI_DATABASE_URL=sqlite:/data/yiqi.sqlite \
    YIQI_LISTEN=0.0.0.0:8080 \
    YIQI_LOG_FORMAT=json \
    YIQI_SHUTDOWN_SECONDS=8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["yiqi", "health"]
# Makes the database on the first start and brings its schema up to date on every start.
CMD ["yiqi", "serve", "--create"]
