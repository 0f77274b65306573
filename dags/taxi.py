"""Download and load months of New York's yellow taxi trips, build and test the models, publish the marts.

A scheduled run loads every month since the start that is missing, or that the server has published again: a month comes
out about two months after its end. A month that fails leaves the other months of its run to be published.
`airflow backfill create --dag-id taxi --from-date … --to-date …` loads and rebuilds past months, in any order and any
number of times.
"""

from datetime import date

from dag_factory import domain_dag, run_locally

# On the second day of a month, the interval that began on the second day of the month before has ended.
dag = domain_dag("taxi", doc=__doc__, schedule="0 6 2 * *", start=date(2021, 1, 1))

if __name__ == "__main__":
    run_locally(dag)
