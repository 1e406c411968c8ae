# Builds the program with TLS to PostgreSQL and puts it alone into a small image. For example, on SQLite on a volume:
#
#   docker build -t yiqi .
#   docker run -d -p 8080:8080 -v yiqi-data:/data -e YIQI_SECRET="2026a:$(openssl rand -base64 32)" yiqi
#
# or on PostgreSQL:
#
#   docker run -d -p 8080:8080 -e YIQI_DATABASE_URL=postgres://yiqi@db.example.org/yiqi?sslmode=verify-full \
#       -e YIQI_SECRET_FILE=/run/secrets/yiqi-keys … yiqi

FROM rust:1.95-bookworm AS build
WORKDIR /yiqi
COPY . .
# Everything else this needs (SQLite, libpq, OpenSSL) is compiled in; perl and make come with the image.
RUN cargo build --release --locked --features postgres-tls

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home yiqi
COPY --from=build /yiqi/target/release/yiqi /usr/local/bin/yiqi
USER yiqi
WORKDIR /data
VOLUME /data
ENV YIQI_DATABASE_URL=sqlite:/data/yiqi.sqlite \
    YIQI_LISTEN=0.0.0.0:8080 \
    YIQI_LOG_FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["yiqi", "health"]
# Makes the database on the first start and brings its schema up to date on every start.
CMD ["yiqi", "serve", "--create"]
