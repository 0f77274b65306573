{{ config(**judge_loads()) }}

{{ judged_rows(typed=ref('typed_ecommerce__customers'), raw=source('raw_ecommerce', 'customers')) }}
