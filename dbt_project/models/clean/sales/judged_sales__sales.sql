{{ config(**judge_loads()) }}

{{ judged_rows(typed=ref('typed_sales__sales'), raw=source('raw_sales', 'sales')) }}
