{{ config(**judge_loads()) }}

{{ judged_rows(typed=ref('typed_ecommerce__products'), raw=source('raw_ecommerce', 'products')) }}
