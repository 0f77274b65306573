#!/bin/sh
# Writes .env, the secrets and switches of docker-compose.yaml, for this user's eyes only. An .env that is there stays.
set -eu
file=${1:-.env}

secret() {
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'
}

umask 077
if [ -e "$file" ]; then
    echo "$file is there already, and databases and stored connections depend on its secrets: it stays as it is." >&2
    exit 1
fi
# noclobber: nor one that appears meanwhile.
set -C
cat >"$file" <<END
# Written by \`make env\`. Keep it with the backups: without it they cannot be read.

# Empty: the scheduler runs the tasks. scale: workers of Celery's run them, and Spark is started.
COMPOSE_PROFILES=

# What Airflow's connections and variables are encrypted with, in its database.
SLUICE_FERNET_KEY=$(secret)=
# With which its services know each other, and the browsers' sessions.
SLUICE_JWT_SECRET=$(secret)
SLUICE_SESSION_KEY=$(secret)
# Of the user admin in Airflow's UI.
SLUICE_AIRFLOW_PASSWORD=$(secret)

# Of the roles of PostgreSQL: the superuser, Airflow's, the warehouse's, and the one that only reads the warehouse.
SLUICE_SUPERUSER_PASSWORD=$(secret)
SLUICE_METADATA_PASSWORD=$(secret)
SLUICE_POSTGRES_PASSWORD=$(secret)
SLUICE_READER_PASSWORD=$(secret)
# Of Redis.
SLUICE_BROKER_PASSWORD=$(secret)
END
echo "$file is written. docker compose up starts Sluice; the user is admin, the password SLUICE_AIRFLOW_PASSWORD."
