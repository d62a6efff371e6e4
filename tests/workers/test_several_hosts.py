"""Workers on hosts of their own: one that dies, is cut off, or finds nobody to talk to costs time, and nothing else.

The figures are printed (``make workers``); docs/deployment.md has them.
"""

from __future__ import annotations

import signal
import time

import pytest
from workers.company import Company

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.postgres]


def tell(what: str, seconds: float) -> None:
    print(f"{what}: {seconds:.1f} s")


def test_a_host_that_loses_its_power_in_mid_run_is_taken_over_within_a_minute(acme: Company) -> None:
    before = acme.written()
    with acme.held_in_mid_run("C001", "接管有限公司") as (run, name, go_on):
        acme.host(name).lose_power()
        died = time.monotonic()
        go_on()
        tell("power lost → taken over", acme.until(lambda: acme.at_work() == "", "a lease that was taken away"))
        acme.until(lambda: acme.name_in_erp("C001") == "接管有限公司", "the name in the ERP")
        took = time.monotonic() - died
    tell("power lost → value in the other system", took)
    assert took < 60
    ended = acme.ended(run)
    assert (ended["state_type"], "hub-try:2" in ended["tags"]) == ("COMPLETED", True), ended["state"]
    assert acme.written() - before == 1
    assert acme.at_work() == ""
    acme.is_at_rest()


def test_a_worker_program_that_is_killed_is_taken_over_on_its_own_host_or_another(acme: Company) -> None:
    """SIGKILL of everything of one worker, on a machine that goes on."""
    before = acme.written()
    with acme.held_in_mid_run("C002", "被杀有限公司") as (run, name, go_on):
        acme.kill_run(name)
        died = time.monotonic()
        go_on()
        acme.until(lambda: acme.name_in_erp("C002") == "被杀有限公司", "the name in the ERP")
        took = time.monotonic() - died
    tell("run killed, its host goes on → value in the other system", took)
    assert took < 60
    assert acme.ended(run)["state_type"] == "COMPLETED"
    assert acme.written() - before == 1
    acme.is_at_rest()


def test_a_host_that_is_cut_off_comes_back_too_late_and_says_so(acme: Company) -> None:
    before = acme.written()
    with acme.held_in_mid_run("C003", "断网有限公司") as (run, name, go_on):
        host = acme.host(name)
        said = len(acme.said(host))
        host.cut()
        began = time.monotonic()
        acme.until(lambda: acme.at_work() not in ("", name), "another host at work")
        tell("link cut → another host at work", time.monotonic() - began)
        host.mend()
        acme.until(lambda: name in acme.online(), "the first host back")
        go_on()
        assert acme.ended(run)["state_type"] == "COMPLETED"
    assert acme.name_in_erp("C003") == "断网有限公司"
    # The call of the first was under way all the time, and came first: then the second one found nothing left to write.
    assert acme.written() - before <= 1
    assert "the leases could not be held: the hub's database failed" in acme.said(host)[said:]
    acme.is_at_rest()


def test_a_run_outlives_prefects_server(acme: Company) -> None:
    with acme.held_in_mid_run("C004", "无主有限公司") as (run, _, go_on):
        acme.stop_server(signal.SIGKILL)
        go_on()
        acme.until(lambda: acme.name_in_erp("C004") == "无主有限公司", "the name in the ERP")
        acme.until(lambda: acme.at_work() == "", "an end of the pass")
        acme.start_server()
    began = time.monotonic()
    ended = acme.ended(run)
    tell("Prefect's server back → the run that outlived it is told of", time.monotonic() - began)
    assert (ended["state_type"], ended["state"]["message"]) == ("COMPLETED", "1 customer written")
    began = time.monotonic()
    acme.is_at_rest()
    tell("… → a further run is done", time.monotonic() - began)


def test_a_pass_that_loses_its_database_says_so_and_the_run_goes_on_when_it_is_back(acme: Company) -> None:
    """Prefect keeps its own data in the same server."""
    before = acme.written()
    with acme.held_in_mid_run("C005", "停库有限公司") as (run, name, go_on):
        said = len(acme.said(acme.host(name)))
        acme.database.crash()
        go_on()
        acme.until(lambda: "the hub's database failed" in acme.said(acme.host(name))[said:], "a word of it")
        acme.until(lambda: acme.name_in_erp("C005") == "停库有限公司", "the call that was under way has ended")
        acme.database.start()
        began = time.monotonic()
        ended = acme.ended(run)
    tell("database back → the run is done", time.monotonic() - began)
    assert ended["state_type"] == "COMPLETED"
    # The call took effect while its answer could not be stored: the next pass finds the value as it was meant.
    assert acme.written() - before <= 1
    acme.is_at_rest()
