"""Airflow and loanwatch's services on one machine, without containers: `python -m loanwatch.orchestration.local`."""
