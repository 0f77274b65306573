"""`python -m bench [NAME ...]`: take the measurements, print tables, keep the raw results as JSON."""

import argparse
import json
import signal
import sys

from bench import (
    assets,
    changed_model,
    cli,
    dag_against_build,
    dashboard,
    domains_at_once,
    ecommerce,
    engines,
    goals,
    hostile_files,
    idle_airflow,
    ingest,
    lineage,
    make_run,
    months,
    nothing_new,
    publish,
    usual_values,
)
from bench.measuring import MeasuringError, machine
from settings import load

#: Each module offers `measure(quick) -> (tables as text, raw results)`.
BENCHMARKS = {
    "assets": assets,
    "changed_model": changed_model,
    "cli": cli,
    "dag_against_build": dag_against_build,
    "dashboard": dashboard,
    "domains_at_once": domains_at_once,
    "ecommerce": ecommerce,
    "engines": engines,
    "hostile_files": hostile_files,
    "idle_airflow": idle_airflow,
    "ingest": ingest,
    "lineage": lineage,
    "make_run": make_run,
    "months": months,
    "nothing_new": nothing_new,
    "publish": publish,
    "usual_values": usual_values,
    # Last: it reads the results of the others.
    "goals": goals,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that the command line names, one after another; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all of them")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("--quick", action="store_true", help="one run of each on little data, as a trial")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if options.list:
        for name, module in BENCHMARKS.items():
            print(f"{name:<20}{module.__doc__.splitlines()[0]}")
        return 0
    # kill ends it as Ctrl-C does: what was started is stopped, temporary folders are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = load().data_dir / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    status = 0
    for name in options.names or BENCHMARKS:
        facts = machine()
        try:
            tables, raw = BENCHMARKS[name].measure(options.quick)
        except MeasuringError as error:  # one of them may lack a server; the others do not depend on it
            print(f"error: {name}: {error}", file=sys.stderr)
            status = 1
            continue
        except KeyboardInterrupt:
            return 130
        path = folder / f"{name}{'.quick' if options.quick else ''}.json"
        path.write_text(json.dumps({"machine": facts, "results": raw}, indent=1))
        print(f"\n## {name}\n\n{tables}\n\n{path}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
