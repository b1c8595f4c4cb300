#!/bin/sh
# Airflow's and loanwatch's command lines in the running stack.
#   ./airflow.sh dags list            any command of Airflow
#   ./airflow.sh loanwatch runs       any command of loanwatch
#   ./airflow.sh password             how to sign in to Airflow
#   ./airflow.sh shell                a shell beside the worker
set -eu
cd "$(dirname "$0")"
tty=; [ -t 0 ] || tty=-T
inside() { docker compose exec ${tty:+"$tty"} airflow-worker /opt/entrypoint.sh "$@"; }

case "${1:-}" in
  "" | -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0" ;;
  password) printf 'user admin, password '; inside cat /run/loanwatch/airflow_password; echo ;;
  shell) inside sh ;;
  loanwatch) inside "$@" ;;
  *) inside airflow "$@" ;;
esac
