# One file for the whole product or one module: --build-arg FEATURES=sales
FROM rust:1.95-bookworm AS build
ARG FEATURES=auth,store,inventory,sales
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --no-default-features --features "$FEATURES" \
    && cp target/release/comptoir /comptoir

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Comptoir" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home comptoir
COPY --from=build /comptoir /usr/local/bin/comptoir
USER 10001
ENV COMPTOIR__MODE=production \
    COMPTOIR__HTTP__BIND=0.0.0.0 \
    COMPTOIR__HTTP__PORT=8080 \
    COMPTOIR__INTERNAL__BIND=0.0.0.0
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["comptoir"]
CMD ["serve"]
