-- Airflow's metadata lie in a database of their own beside the applications.
CREATE DATABASE airflow;
