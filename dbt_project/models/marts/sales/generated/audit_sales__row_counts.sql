{{ load_audit(['products', 'sales']) }}
