# Stands in for python:3.11-slim-bookworm, and is under the other stand-ins.
FROM gamelake-standin:rootfs
COPY certificates /usr/local/share/ca-certificates
RUN update-ca-certificates
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
LABEL gamelake.standin=yes
