"""Workers count apart and are read together."""

from prometheus_client.parser import text_string_to_metric_families

from loanwatch.predictor.metrics import Metrics


def read(metrics):
    return {
        (sample.name.removeprefix("loanwatch_predictor_"), *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def workers(tmp_path, contract, count=2):
    return [Metrics(tmp_path, worker=number, contract=contract) for number in range(count)]


def test_counts_of_all_workers_are_summed(tmp_path, contract):
    first, second = workers(tmp_path, contract)
    first.request("/predict", 200, 0.002)
    second.request("/predict", 200, 0.2)
    second.request("/predict", 422, 0.0001)
    figures = read(first)
    assert figures["requests_total", "/predict", "200"] == 2
    assert figures["requests_total", "/predict", "422"] == 1
    assert figures["request_seconds_count",] == 3
    assert figures["request_seconds_bucket", "0.0025"] == 2


def test_scores_are_a_histogram(tmp_path, contract):
    (one,) = workers(tmp_path, contract, 1)
    one.scored([0.01, 0.05, 0.051, 0.999], {0: ["purpose"]}, {"annual_income": 3})
    figures = read(one)
    assert figures["rows_total",] == 4
    assert figures["score_bucket", "0.05"] == 2
    assert figures["score_bucket", "0.1"] == 3
    assert figures["score_bucket", "+Inf"] == 4
    assert figures["score_sum",] == 1.11
    assert figures["unknown_categories_total", "purpose"] == 1
    assert figures["missing_values_total", "annual_income"] == 3
    assert figures["missing_values_total", "term"] == 0


def test_strange_paths_and_statuses_do_not_add_series(tmp_path, contract):
    (one,) = workers(tmp_path, contract, 1)
    one.request("/wp-admin", 418, 0.1)
    assert read(one)["requests_total", "other", "other"] == 1


def test_a_worker_that_takes_anothers_place_goes_on_counting(tmp_path, contract):
    (one,) = workers(tmp_path, contract, 1)
    one.add("rows", by=5)
    again = Metrics(tmp_path, worker=0, contract=contract)
    again.add("rows", by=2)
    assert read(again)["rows_total",] == 7


def test_gauges_are_of_each_worker(tmp_path, contract):
    first, second = workers(tmp_path, contract)
    first.set("model_version", 2)
    second.set("model_version", 3)
    figures = read(first)
    assert figures["model_version", "0"] == 2
    assert figures["model_version", "1"] == 3
