{% set columns = {
    'product_id': {'type': 'bigint', 'is_code': true, 'source': 'id'},
    'product_name': {'type': 'text', 'source': 'name'},
    'category': {'type': 'text'},
    'price': {'type': 'decimal', 'places': 4},
    'updated_at': {'type': 'timestamp'},
} %}

{{ stage_columns(source('raw_sales', 'products'), columns) }}
