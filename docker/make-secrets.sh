#!/bin/sh
# Fills the volume `secrets` once: what is there stays. POSTGRES_PASSWORD and AIRFLOW_PASSWORD may be given.
set -eu
umask 027
folder=${SECRETS_FOLDER:-/run/loanwatch}
make() { [ -s "$folder/$1" ] || printf '%s' "$2" > "$folder/$1"; }
token() { python -c 'import secrets; print(secrets.token_urlsafe(24), end="")'; }

make postgres_password "${POSTGRES_PASSWORD:-$(token)}"
make airflow_password "${AIRFLOW_PASSWORD:-$(token)}"
make api_secret_key "$(token)"
make jwt_secret "$(token)$(token)"
make fernet_key "$(python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode(), end="")')"
make passwords.json "{\"admin\": \"$(cat "$folder/airflow_password")\"}"
