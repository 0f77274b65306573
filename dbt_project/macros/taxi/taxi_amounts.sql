{# The columns of a trip's record that hold dollars; all but the last are parts of it. #}
{% macro taxi_amounts() %}
    {{ return([
        'fare_amount', 'extra', 'mta_tax', 'tip_amount', 'tolls_amount', 'improvement_surcharge', 'congestion_surcharge',
        'airport_fee', 'total_amount',
    ]) }}
{% endmacro %}
