-- A failure means that a customer or a product has no version or two versions on some day, so that its orders of that
-- day are counted for nobody or twice.
{% for dimension, id in {'dim_customers': 'customer_id', 'dim_products': 'product_id'}.items() %}
    select
        {{ id }} as id,
        valid_from
    from (
        select
            {{ id }},
            is_current,
            valid_from,
            valid_to,
            lead(valid_from) over (partition by {{ id }} order by valid_from) as next_from,
            lag(valid_to) over (partition by {{ id }} order by valid_from) as previous_to
        from {{ ref(dimension) }}
    ) as versions
    where
        valid_to is distinct from next_from
        or is_current <> (valid_to is null)
        or (previous_to is null and valid_from <> cast('{{ var("calendar_from") }}' as date))
    {{ 'union all' if not loop.last }}
{% endfor %}
