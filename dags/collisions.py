"""Load New York's motor vehicle collisions, build and test the models, publish the marts."""

from datetime import date

from dag_factory import domain_dag, run_locally

dag = domain_dag("collisions", doc=__doc__, schedule="@daily", start=date(2012, 7, 1))

if __name__ == "__main__":
    run_locally(dag)
