{{ load_audit(['crashes']) }}
