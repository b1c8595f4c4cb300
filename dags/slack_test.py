"""Send one message to Slack by hand, to see that the connection `slack_connection` works: wiring only."""

from datetime import timedelta

from airflow.sdk import dag, task

from loanwatch import orchestration


@dag(
    dag_id="slack_test_workflow",
    dag_display_name="Slack test",
    description="Send a test message over slack_connection to the channel that is its login.",
    doc_md=__doc__,
    schedule=None,
    default_args={"owner": "loanwatch", "retries": 1, "retry_delay": timedelta(seconds=5)},
    tags=["loanwatch"],
)
def slack_test_workflow() -> None:
    """Send the message."""

    @task(execution_timeout=timedelta(minutes=2))
    def send_test_message() -> str:
        """Send a message that says that the way to Slack works."""
        return orchestration.send_test_message()

    send_test_message()


slack_test_workflow()
