FROM gamelake-standin:base
COPY minio /usr/bin/minio
VOLUME /data
ENTRYPOINT ["minio"]
