"""Load the day's news, enrich the new articles, build and test the models, publish the marts."""

from datetime import date

from dag_factory import domain_dag, run_locally

dag = domain_dag("news", doc=__doc__, schedule="0 5 * * *", start=date(2024, 1, 1))

if __name__ == "__main__":
    run_locally(dag)
