{{ load_audit(['articles']) }}
