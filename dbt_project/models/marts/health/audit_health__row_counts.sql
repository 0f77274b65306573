{{ rows_of_facts([
    {
        'entity': 'airflow_tasks', 'raw': source('raw_ops', 'airflow_tasks'),
        'facts': [ref('fct_task_runs')],
    },
    {
        'entity': 'dbt_results', 'raw': source('raw_ops', 'dbt_results'),
        'facts': [ref('fct_model_runs'), ref('fct_test_results')],
    },
    {
        'entity': 'loads', 'raw': source('raw_ops', 'loads'),
        'facts': [ref('fct_loads')],
    },
]) }}
