-- A failure means that the amount of a sale is not its quantity times its price to the cent, so sums of it are wrong.
select sale_key
from {{ ref('fct_store_sales') }}
where total_amount <> round(quantity * price, 2)
