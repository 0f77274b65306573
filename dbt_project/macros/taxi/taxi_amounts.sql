{# The columns of a trip in dollars; the last one is the sum of the others. #}
{% macro taxi_amounts() %}
    {{ return([
        'fare_amount', 'extra', 'mta_tax', 'tip_amount', 'tolls_amount', 'improvement_surcharge', 'congestion_surcharge',
        'airport_fee', 'cbd_congestion_fee', 'total_amount',
    ]) }}
{% endmacro %}
