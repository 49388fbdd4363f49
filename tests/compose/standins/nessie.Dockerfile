# As the real image: uid 10000, settings by environment, a heap within the container's limit.
FROM gamelake-standin:base
RUN useradd --uid 10000 --create-home nessie
COPY java-runtime /opt/java
COPY nessie.jar /opt/nessie.jar
WORKDIR /home/nessie
USER 10000
ENTRYPOINT ["/opt/java/bin/java", "-XX:MaxRAMPercentage=60", "-jar", "/opt/nessie.jar"]
