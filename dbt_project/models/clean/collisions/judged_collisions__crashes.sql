{{ config(**judge_loads()) }}

{{ judged_rows(typed=ref('typed_collisions__crashes'), raw=source('raw_collisions', 'crashes')) }}
