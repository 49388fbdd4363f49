#!/bin/sh
# Run once by the PostgreSQL image, on an empty volume: a role and a database of its own for
# gamelake and for Nessie. Neither is a superuser, and neither can open the other's database.
# UTF-8 and the C locale whatever the image's own: Nessie needs the first, and text sorts by its
# code points, as SQLite does. Passwords are handed on in the environment: everybody can read the
# arguments of a process.
set -eu

make_database() {
  PASSWORD="$2" psql --quiet --set ON_ERROR_STOP=1 --username postgres --set "name=$1" <<'SQL'
\getenv password PASSWORD
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name"
  TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

make_database gamelake "$GAMELAKE_DB_PASSWORD"
make_database nessie "$NESSIE_DB_PASSWORD"
