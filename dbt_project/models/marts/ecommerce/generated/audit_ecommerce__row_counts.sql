{{ load_audit(['orders', 'customers', 'products']) }}
