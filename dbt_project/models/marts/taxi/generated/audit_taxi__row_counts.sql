{{ load_audit(['trips']) }}
