# The whole product, or any modules of it: docker build --build-arg FEATURES=sales .
FROM rust:1.95-bookworm AS rust
WORKDIR /src

# What decides about the dependencies, and nothing else: the manifests, and sources without content.
# It is copied by content, so a change in the sources finds the dependencies compiled.
FROM rust AS manifests
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -name lib.rs ! -name main.rs -delete \
    && find . -type d -empty -delete \
    && find . -name lib.rs -exec truncate --size=0 {} + \
    && echo 'fn main() {}' > /main.rs && find . -name main.rs -exec cp /main.rs {} \;

# The same for all FEATURES. Nothing of the empty sources' own may be left: cargo goes by the time
# of a file, and would take it for newer than the real ones.
FROM rust AS dependencies
COPY --from=manifests /src .
RUN cargo build --release --locked -p comptoir \
    && cargo clean --release --workspace

FROM dependencies AS build
ARG FEATURES=auth,store,inventory,sales
COPY . .
RUN cargo build --release --locked -p comptoir --no-default-features --features "$FEATURES" \
    && mkdir -p /image/usr/local/bin /image/usr/share/comptoir \
    && mkdir --mode=700 /image/run \
    && cp target/release/comptoir /image/usr/local/bin/ \
    && deploy/sbom "$FEATURES" > /image/usr/share/comptoir/sbom.cdx.json

# A C library and certificates; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG FEATURES=auth,store,inventory,sales
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Comptoir" \
      org.opencontainers.image.description="Stock and sales of a chain of shops: $FEATURES" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      comptoir.features="$FEATURES" \
      comptoir.sbom="/usr/share/comptoir/sbom.cdx.json"
COPY --from=build /image/usr /usr
# A new volume takes over the owner of the folder that it hides: here are secrets.
COPY --from=build --chown=65532:65532 /image/run /run/comptoir
USER 65532:65532
ENV COMPTOIR__MODE=production \
    COMPTOIR__HTTP__BIND=0.0.0.0 \
    COMPTOIR__INTERNAL__BIND=0.0.0.0
# Public: 3030 for several modules, 3031 to 3034 for one alone. For peers: 1000 more.
EXPOSE 3030 3031 3032 3033 3034 4030 4031 4032 4033 4034
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["comptoir", "health"]
ENTRYPOINT ["comptoir"]
CMD ["serve"]
