"""Load a shop's orders, customers and products, build and test the models, publish the marts, write the reports."""

from datetime import date

from dag_factory import domain_dag, run_locally

dag = domain_dag("ecommerce", doc=__doc__, schedule="0 2 * * *", start=date(2023, 1, 1))

if __name__ == "__main__":
    run_locally(dag)
