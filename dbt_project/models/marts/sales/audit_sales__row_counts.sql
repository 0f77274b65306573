{{ load_audit(['sales', 'products']) }}
