"""Load the sales files that have arrived and the catalogue, build and test the models, publish the marts.

A run starts as soon as files are complete (the asset `sluice://landing/sales`, watched by the triggerer), and by the
clock. A run without a new file is skipped, unless an earlier run did not publish all that it had loaded.
"""

from datetime import date

from dag_factory import domain_dag, run_locally

dag = domain_dag("sales", doc=__doc__, schedule="*/30 * * * *", start=date(2024, 1, 1))

if __name__ == "__main__":
    run_locally(dag)
