#!/bin/sh
# Turns the files of the volume `secrets` into the variables that Airflow and loanwatch read, and starts the command.
# What the environment names already stays.
set -eu
secrets=${SECRETS_FOLDER:-/run/loanwatch}

if [ -r "$secrets/postgres_password" ]; then
  password=$(cat "$secrets/postgres_password")
  server="loanwatch:$password@${POSTGRES_HOST:-postgres}:5432"
  export DATABASE_URL="${DATABASE_URL:-postgresql://$server/loanwatch}"
fi
if [ -n "${SLACK_TOKEN:-}" ] && [ -n "${SLACK_CHANNEL:-}" ]; then
  # one name for both, so that DAGs and dispatcher owe one message and not two
  channel="{\"type\": \"slack\", \"token\": \"$SLACK_TOKEN\", \"channel\": \"$SLACK_CHANNEL\"}"
  export LOANWATCH_CHANNELS="${LOANWATCH_CHANNELS:-{\"slack_connection\": $channel\}}"
fi
if [ "${1:-}" = airflow ] || [ -n "${AIRFLOW_HOME:-}" ]; then
  if [ -r "$secrets/passwords.json" ]; then
    export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql+psycopg2://$server/airflow"
    export AIRFLOW__CELERY__RESULT_BACKEND="db+postgresql://$server/airflow"
    AIRFLOW__CORE__FERNET_KEY=$(cat "$secrets/fernet_key")
    AIRFLOW__API__SECRET_KEY=$(cat "$secrets/api_secret_key")
    AIRFLOW__API_AUTH__JWT_SECRET=$(cat "$secrets/jwt_secret")
    export AIRFLOW__CORE__FERNET_KEY AIRFLOW__API__SECRET_KEY AIRFLOW__API_AUTH__JWT_SECRET
    # Airflow opens the file for writing, and the volume is read-only
    install -m 600 "$secrets/passwords.json" "$AIRFLOW_HOME/passwords.json"
    export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE="$AIRFLOW_HOME/passwords.json"
  fi
  if [ -n "${SLACK_TOKEN:-}" ] && [ -n "${SLACK_CHANNEL:-}" ]; then
    slack="{\"conn_type\": \"slack\", \"login\": \"$SLACK_CHANNEL\", \"password\": \"$SLACK_TOKEN\"}"
    export AIRFLOW_CONN_SLACK_CONNECTION="${AIRFLOW_CONN_SLACK_CONNECTION:-$slack}"
  fi
fi
exec "$@"
