# Not Dremio: the strict stand-in of the unit tests, to see that the compose file wires the set-up.
FROM gamelake:local
USER root
RUN install -d -o 10001 -g 10001 /opt/dremio/data
COPY standin /opt/standin
USER 10001
HEALTHCHECK NONE
ENTRYPOINT ["python", "/opt/standin/dremio_container.py"]
LABEL gamelake.standin=yes
