{{ config(**judge_loads()) }}

{{ judged_rows(typed=ref('typed_taxi__trips'), raw=source('raw_taxi', 'trips')) }}
